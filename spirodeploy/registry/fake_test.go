package registry_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/spirostack/spirodeploy/spirodeploy/registry"
)

// fake is a registry of one repository, team/shop, in memory. (tests/registry has a
// real one.)
type fake struct {
	*httptest.Server
	// before may answer a request in place of the registry: then it returns true.
	before func(w http.ResponseWriter, r *http.Request) bool

	mu        sync.Mutex
	blobs     map[string][]byte
	manifests map[string][]byte // by tag and by digest
	asked     []string          // METHOD PATH
}

const repo = "/v2/team/shop/"

func newFake(t *testing.T, before func(http.ResponseWriter, *http.Request) bool) *fake {
	t.Helper()
	f := unstarted(before)
	f.Start()
	t.Cleanup(f.Close)
	return f
}

func unstarted(before func(http.ResponseWriter, *http.Request) bool) *fake {
	f := &fake{before: before, blobs: map[string][]byte{}, manifests: map[string][]byte{}}
	f.Server = httptest.NewUnstartedServer(f)
	return f
}

func (f *fake) host() string {
	_, host, _ := strings.Cut(f.URL, "://")
	return host
}

func (f *fake) address(t *testing.T, rest string) registry.Address {
	t.Helper()
	return parse(t, registry.Scheme+f.host()+"/team/shop"+rest)
}

func parse(t *testing.T, s string) registry.Address {
	t.Helper()
	a, err := registry.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// requests returns the requests that begin so.
func (f *fake) requests(prefix string) (found []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.asked {
		if strings.HasPrefix(r, prefix) {
			found = append(found, r)
		}
	}
	return found
}

// keep puts a bundle there, without a push.
func (f *fake) keep(t *testing.T, tag string, tar []byte) digest.Digest {
	t.Helper()
	sum := digest.FromBytes(tar)
	manifest, err := registry.NewManifest(sum, int64(len(tar)), nil)
	if err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.blobs[sum.String()] = tar
	f.manifests[tag] = manifest
	f.manifests[digest.FromBytes(manifest).String()] = manifest
	return digest.FromBytes(manifest)
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.asked = append(f.asked, r.Method+" "+r.URL.Path)
	f.mu.Unlock()
	if f.before != nil && f.before(w, r) {
		return
	}
	path, ok := strings.CutPrefix(r.URL.Path, repo)
	what, name, _ := strings.Cut(path, "/")
	switch {
	case ok && what == "manifests":
		f.manifest(w, r, name)
	case ok && strings.HasPrefix(path, "blobs/uploads/"):
		f.upload(w, r)
	case ok && what == "blobs":
		f.mu.Lock()
		content, ok := f.blobs[name]
		f.mu.Unlock()
		if !ok {
			refuse(w, http.StatusNotFound, "BLOB_UNKNOWN", "blob unknown to registry")
			return
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	default:
		refuse(w, http.StatusNotFound, "NAME_UNKNOWN", "repository name not known to registry")
	}
}

func (f *fake) manifest(w http.ResponseWriter, r *http.Request, name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.Method == http.MethodPut {
		content, _ := io.ReadAll(r.Body)
		sum := digest.FromBytes(content).String()
		f.manifests[name], f.manifests[sum] = content, content
		w.Header().Set("Docker-Content-Digest", sum)
		w.WriteHeader(http.StatusCreated)
		return
	}
	content, ok := f.manifests[name]
	if !ok {
		refuse(w, http.StatusNotFound, "MANIFEST_UNKNOWN", "manifest unknown")
		return
	}
	w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
	w.Header().Set("Docker-Content-Digest", digest.FromBytes(content).String())
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	_, _ = w.Write(content)
}

func (f *fake) upload(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		w.Header().Set("Location", repo+"blobs/uploads/one?_state=secret-state")
		w.WriteHeader(http.StatusAccepted)
		return
	}
	content, err := io.ReadAll(r.Body)
	sum := r.URL.Query().Get("digest")
	if err != nil || fmt.Sprintf("sha256:%x", sha256.Sum256(content)) != sum {
		refuse(w, http.StatusBadRequest, "DIGEST_INVALID", "provided digest did not match uploaded content")
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.blobs[sum] = content
	w.WriteHeader(http.StatusCreated)
}

// refuse answers as a registry does.
func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": []any{map[string]any{"code": code, "message": message}}})
}

// content is a bundle: any bytes.
type content []byte

func (c content) Size() int64                                   { return int64(len(c)) }
func (c content) Open() (io.ReadCloser, error)                  { return io.NopCloser(bytes.NewReader(c)), nil }
func (c content) Digest(context.Context) (digest.Digest, error) { return digest.FromBytes(c), nil }
func (c content) Commit() string {
	return "0123456789abcdef0123456789abcdef01234567\nheads/main"
}

// noise returns bytes, each time the same.
func noise(size int) content {
	b := make(content, size)
	for i := range b {
		b[i] = byte(i>>16 ^ i>>8*7 ^ i*13)
	}
	return b
}

func newClient(t *testing.T, opts registry.Options) *registry.Client {
	t.Helper()
	c, err := registry.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
