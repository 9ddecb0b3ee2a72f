package registry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/registry"
)

// check checks that an error is of a kind, and has some words in it.
func check(t *testing.T, err, kind error, words ...string) {
	t.Helper()
	var e *registry.Error
	if !errors.Is(err, kind) || !errors.As(err, &e) || e.Kind != kind { //nolint:errorlint // the very same
		t.Errorf("%v is not %v", err, kind)
		return
	}
	for _, want := range words {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
	if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "http://") {
		t.Errorf("%v tells too much", err)
	}
}

func TestPushAndPull(t *testing.T) {
	t.Parallel()
	b, err := bundle.New(t.Context(), bundle.Options{Dir: t.TempDir(), Files: map[string][]byte{"spirotop.sls": []byte("prod: {'*': [web]}\n")}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	sum, err := b.Digest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f := newFake(t, nil)
	var last int64
	c := newClient(t, registry.Options{Progress: func(done, total int64) {
		if last = done; total != b.Size() {
			t.Errorf("%d of %d", done, total)
		}
	}})
	first, err := c.Push(t.Context(), f.address(t, ":1.4"), b, registry.Origin{})
	if err != nil || !first.Sent || first.Bundle != sum || first.Size != b.Size() || last != b.Size() {
		t.Fatalf("%+v, %v; %d told", first, err, last)
	}
	if want := f.address(t, ":1.4@"+first.Manifest().String()); first.Address != want {
		t.Errorf("it is in %s, want %s", first.Address, want)
	}

	puts := len(f.requests("PUT"))
	second, err := c.Push(t.Context(), f.address(t, ":1.4"), b, registry.Origin{})
	if err != nil || second.Sent || second.Manifest() != first.Manifest() || len(f.requests("PUT")) != puts {
		t.Errorf("again: %+v, %v, %d more put", second, err, len(f.requests("PUT"))-puts)
	}
	other, err := c.Push(t.Context(), f.address(t, ":latest"), b, registry.Origin{})
	if err != nil || other.Sent || other.Manifest() != first.Manifest() || len(f.requests("PUT")) != puts+1 {
		t.Errorf("another tag: %+v, %v, %d more put", other, err, len(f.requests("PUT"))-puts)
	}

	for _, rest := range []string{":1.4", "@" + first.Manifest().String(), ":gone@" + first.Manifest().String()} {
		last = 0
		file, err := c.PullFile(t.Context(), f.address(t, rest))
		if err != nil {
			t.Fatal(err)
		}
		if file.Bundle != sum || file.Manifest() != first.Manifest() || last != b.Size() {
			t.Errorf("%s: %+v, %d told", rest, file.Result, last)
		}
		if info, err := os.Stat(file.Path()); err != nil || info.Mode().Perm()&0o077 != 0 && os.PathSeparator == '/' {
			t.Errorf("%v, %v", info.Mode(), err)
		}
		opened, err := bundle.OpenFile(t.Context(), file.Path())
		if err != nil {
			t.Fatal(err)
		}
		if got, err := opened.Digest(t.Context()); err != nil || got != sum || opened.Len() != 1 {
			t.Errorf("%s, %v, %d entries", got, err, opened.Len())
		}
		if err := errors.Join(opened.Close(), file.Close(), file.Close()); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(file.Path()); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the file is left: %v", err)
		}
	}
	found, err := c.Resolve(t.Context(), f.address(t, ":latest"))
	if err != nil || found.Bundle != sum || found.Size != b.Size() || found.Manifest() != first.Manifest() {
		t.Errorf("%+v, %v", found, err)
	}
}

// TestFile: what was pulled can be pushed on.
func TestFile(t *testing.T) {
	t.Parallel()
	b, err := bundle.New(t.Context(), bundle.Options{Dir: t.TempDir(), Files: map[string][]byte{"a": []byte("b"), bundle.GitCommitFile: []byte(strings.Repeat("ab", 20) + "\ntags/v1")}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	here, there := newFake(t, nil), newFake(t, nil)
	c := newClient(t, registry.Options{})
	first, err := c.Push(t.Context(), here.address(t, ":1"), b, registry.Origin{})
	if err != nil {
		t.Fatal(err)
	}
	pulled, err := c.PullFile(t.Context(), first.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer pulled.Close()
	file, err := bundle.OpenFile(t.Context(), pulled.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	second, err := c.Push(t.Context(), there.address(t, ":1"), file, registry.Origin{})
	if err != nil || second.Manifest() != first.Manifest() || second.Annotations["org.opencontainers.image.revision"] != strings.Repeat("ab", 20) {
		t.Errorf("%+v, %v, want %s", second, err, first.Manifest())
	}
}

func TestAddressForPush(t *testing.T) {
	t.Parallel()
	c := newClient(t, registry.Options{})
	for _, rest := range []string{"@" + sha, ":1@" + sha} {
		if _, err := c.Push(t.Context(), parse(t, "oci://localhost/shop"+rest), content("a tar"), registry.Origin{}); err == nil || !strings.Contains(err.Error(), "needs a tag and no digest") {
			t.Errorf("%s: %v", rest, err)
		}
	}
	if _, err := c.Resolve(t.Context(), registry.Address{Host: "localhost/x", Name: "shop", Tag: "1"}); err == nil {
		t.Error("a made-up address is taken")
	}
}

// sized is a bundle that is larger than its content.
type sized struct {
	content
	size int64
}

func (s sized) Size() int64 { return s.size }

// TestTooLarge: a bundle that no server takes is neither pushed nor pulled, so that a tag cannot
// fill the disk.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	f := newFake(t, nil)
	c := newClient(t, registry.Options{})
	_, err := c.Push(t.Context(), f.address(t, ":1"), sized{content("a tar"), client.TLSLimit + 1}, registry.Origin{})
	if err == nil || !strings.Contains(err.Error(), "the bundle is too large: it has 10,737,418,241 bytes, and SpiroFS takes no more than 10.0 GiB") {
		t.Error(err)
	}
	if all := f.requests(""); len(all) > 0 {
		t.Errorf("it was pushed: %q", all)
	}
	for _, size := range []int64{client.TLSLimit, client.TLSLimit + 1, math.MaxInt64} {
		manifest, err := registry.NewManifest(digest.FromString("a tar"), size, nil)
		if err != nil {
			t.Fatal(err)
		}
		f.manifests["1"] = manifest
		found, err := c.Resolve(t.Context(), f.address(t, ":1"))
		if size <= client.TLSLimit {
			if err != nil || found.Size != size {
				t.Errorf("%+v, %v", found, err)
			}
			continue
		}
		check(t, err, registry.ErrNotBundle, "there is no bundle under this address: its layer is too large: it has ", "bytes, and SpiroFS takes no more than 10.0 GiB")
		if _, err := c.PullFile(t.Context(), f.address(t, ":1")); !errors.Is(err, registry.ErrNotBundle) {
			t.Error(err)
		}
	}
	if all := f.requests("GET " + repo + "blobs/"); len(all) > 0 {
		t.Errorf("it was pulled: %q", all)
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	for want, opts := range map[string]registry.Options{
		"has no certificates": {PlainHTTP: true, Insecure: true},
		"leave one of them":   {Certificate: []byte("x"), Insecure: true},
		"not in PEM":          {Certificate: []byte("x")},
		"it is empty":         {Certificate: []byte{}},
	} {
		if _, err := registry.New(opts); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestNotFound(t *testing.T) {
	t.Parallel()
	f := newFake(t, nil)
	f.keep(t, "1", noise(10))
	c := newClient(t, registry.Options{})
	_, err := c.Resolve(t.Context(), f.address(t, ":2"))
	check(t, err, registry.ErrNotFound, "pull oci://"+f.host()+"/team/shop:2: the registry has no tag 2 there (manifest unknown): check name and tag")
	_, err = c.Resolve(t.Context(), f.address(t, "@"+sha))
	check(t, err, registry.ErrNotFound, "nothing of that digest there", "the manifest's")
	_, err = c.Push(t.Context(), parse(t, "oci://"+f.host()+"/other:1"), content("a tar"), registry.Origin{})
	check(t, err, registry.ErrNotFound, "push oci://", "no repository other (repository name not known to registry)")
}

// TestHostile is registries that send what is not asked for.
func TestHostile(t *testing.T) {
	t.Parallel()
	tar := noise(100_000)
	isBlob := func(r *http.Request) bool {
		return r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, repo+"blobs/")
	}
	isManifest := func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, repo+"manifests/") }
	for name, tt := range map[string]struct {
		before func(w http.ResponseWriter, r *http.Request) bool
		kind   error
		words  string
	}{
		"huge manifest": {func(w http.ResponseWriter, r *http.Request) bool {
			if isManifest(r) {
				for r.Context().Err() == nil {
					if _, err := w.Write(bytes.Repeat([]byte(" "), 1<<16)); err != nil {
						break
					}
				}
			}
			return isManifest(r)
		}, registry.ErrNotBundle, "its manifest has more than 1 MiB"},
		"other manifest": {func(w http.ResponseWriter, r *http.Request) bool {
			if isManifest(r) {
				w.Header().Set("Docker-Content-Digest", sha)
				_, _ = io.WriteString(w, "{}")
			}
			return isManifest(r)
		}, registry.ErrMismatch, "sends another manifest"},
		"index": {func(w http.ResponseWriter, r *http.Request) bool {
			if isManifest(r) {
				w.Header().Set("Content-Type", "application/vnd.docker.distribution.manifest.list.v2+json")
				_, _ = io.WriteString(w, `{"schemaVersion":2,"manifests":[]}`)
			}
			return isManifest(r)
		}, registry.ErrNotBundle, "its type is \"application/vnd.docker.distribution.manifest.list.v2+json\""},
		"page": {func(w http.ResponseWriter, _ *http.Request) bool {
			_, _ = io.WriteString(w, "<html>Welcome</html>")
			return true
		}, registry.ErrNotBundle, "it is no manifest"},
		"wrong bytes": {func(w http.ResponseWriter, r *http.Request) bool {
			if isBlob(r) {
				_, _ = w.Write(make([]byte, len(tar)))
			}
			return isBlob(r)
		}, registry.ErrMismatch, "is not that: it has the digest sha256:"},
		"longer": {func(w http.ResponseWriter, r *http.Request) bool {
			if isBlob(r) {
				w.Header().Set("Content-Length", "100001")
				_, _ = w.Write(append(bytes.Clone(tar), 0))
			}
			return isBlob(r)
		}, registry.ErrMismatch, "it has 100001 bytes, and not the 100000 that its manifest says"},
		"endless": {func(w http.ResponseWriter, r *http.Request) bool {
			for isBlob(r) {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					break
				}
			}
			return isBlob(r)
		}, registry.ErrMismatch, "it has the digest"},
		"redirects in a circle": {func(w http.ResponseWriter, r *http.Request) bool {
			if isBlob(r) {
				http.Redirect(w, r, r.URL.Path, http.StatusTemporaryRedirect)
			}
			return isBlob(r)
		}, registry.ErrRefused, "redirects again and again"},
		"redirects to nowhere": {func(w http.ResponseWriter, r *http.Request) bool {
			if isBlob(r) {
				w.Header().Set("Location", "ftp://secret@example.com/")
				w.WriteHeader(http.StatusFound)
			}
			return isBlob(r)
		}, registry.ErrRefused, "an address that is not one of HTTP"},
		"part that nobody asked for": {func(w http.ResponseWriter, r *http.Request) bool {
			if isBlob(r) {
				w.WriteHeader(http.StatusPartialContent)
			}
			return isBlob(r)
		}, registry.ErrRefused, "the registry answers 206"},
		"no HTTP": {func(w http.ResponseWriter, _ *http.Request) bool {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_, _ = io.WriteString(conn, "220 mail.example ESMTP\r\n")
				_ = conn.Close()
			}
			return true
		}, registry.ErrUnreachable, "is not HTTP as it has to be"},
		"teapot": {func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(http.StatusTeapot)
			return true
		}, registry.ErrRefused, "the registry answers 418"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, tt.before)
			f.keep(t, "1", tar)
			var got bytes.Buffer
			_, err := newClient(t, registry.Options{}).Pull(t.Context(), f.address(t, ":1"), &got)
			check(t, err, tt.kind, tt.words)
			if got.Len() >= len(tar) {
				t.Errorf("%d bytes were written, all there are", got.Len())
			}
		})
	}
}

// TestPushToSite: a web site has an answer for each request, and takes no bundle.
func TestPushToSite(t *testing.T) {
	t.Parallel()
	b, err := bundle.New(t.Context(), bundle.Options{Dir: t.TempDir(), Files: map[string][]byte{"web.sls": nil}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	f := newFake(t, func(w http.ResponseWriter, _ *http.Request) bool {
		_, _ = io.WriteString(w, "<html>")
		return true
	})
	_, err = newClient(t, registry.Options{}).Push(t.Context(), f.address(t, ":1"), b, registry.Origin{})
	check(t, err, registry.ErrRefused, "the registry answers 200 OK", "a registry does not answer this request like that: check the host of the address")
}

// TestPinned: a digest in the address is what comes, whatever the registry says.
func TestPinned(t *testing.T) {
	t.Parallel()
	f := newFake(t, nil)
	pinned := f.keep(t, "1", noise(10))
	f.keep(t, "2", noise(20))
	f.manifests[pinned.String()] = f.manifests["2"]
	_, err := newClient(t, registry.Options{}).Resolve(t.Context(), f.address(t, ":2@"+pinned.String()))
	check(t, err, registry.ErrMismatch, "the registry sends another manifest")
}

// TestCut is pulls that are cut again and again.
func TestCut(t *testing.T) {
	t.Parallel()
	tar := noise(10 << 20)
	for name, ranges := range map[string]bool{"with ranges": true, "without ranges": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cuts := 0
			var sent int
			f := newFake(t, func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, "/blobs/") {
					return false
				}
				at := 0
				if asked := r.Header.Get("Range"); ranges && asked != "" {
					if _, err := fmt.Sscanf(asked, "bytes=%d-", &at); err != nil {
						t.Error(err)
					}
					w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", at, len(tar)-1, len(tar)))
				}
				w.Header().Set("Content-Length", fmt.Sprint(len(tar)-at))
				if at > 0 {
					w.WriteHeader(http.StatusPartialContent)
				}
				end := len(tar)
				if cuts++; cuts <= 8 { // more than there are attempts
					end = cuts * 12 << 20 / 10
				}
				sent += end - at
				_, _ = w.Write(tar[at:end])
				return true // net/http cuts what is shorter than it said
			})
			f.keep(t, "1", tar)
			var got bytes.Buffer
			if _, err := newClient(t, registry.Options{}).Pull(t.Context(), f.address(t, ":1"), &got); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), tar) || cuts != 9 || ranges && sent > len(tar)+cuts<<18 {
				t.Errorf("%d bytes came in %d parts, %d were sent", got.Len(), cuts, sent)
			}
		})
	}
}

// TestNoProgress: a pull that does not get on ends.
func TestNoProgress(t *testing.T) {
	t.Parallel()
	f := newFake(t, func(_ http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.URL.Path, "/blobs/") {
			return false
		}
		panic(http.ErrAbortHandler)
	})
	f.keep(t, "1", noise(10))
	_, err := newClient(t, registry.Options{Attempts: 3}).Pull(t.Context(), f.address(t, ":1"), io.Discard)
	check(t, err, registry.ErrUnreachable, "the connection was cut, 3 times")
	if n := len(f.requests("GET " + repo + "blobs/")); n != 3 {
		t.Errorf("%d attempts", n)
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	times := map[string]int{}
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) bool {
		times[r.Method+r.URL.Path]++
		switch times[r.Method+r.URL.Path] {
		case 1:
			w.Header().Set("Retry-After", "37")
			w.WriteHeader(http.StatusTooManyRequests)
		case 2:
			w.WriteHeader(http.StatusBadGateway)
		default:
			return false
		}
		return true
	})
	c := newClient(t, registry.Options{Attempts: 7}) // a blob takes three requests
	pushed, err := c.Push(t.Context(), f.address(t, ":1"), noise(100), registry.Origin{})
	if err != nil || !pushed.Sent {
		t.Fatal(err)
	}
	if _, err := c.Pull(t.Context(), pushed.Address, io.Discard); err != nil {
		t.Fatal(err)
	}
	if !registry.Paused(37e9) {
		t.Error("there was no pause as long as the registry had asked for")
	}

	f = newFake(t, func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Retry-After", "4000")
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	})
	_, err = c.Resolve(t.Context(), f.address(t, ":1"))
	check(t, err, registry.ErrUnreachable, "the registry answers 503 Service Unavailable, and asks for no other request within 1 h 6 min")
	if n := len(f.requests("")); n != 1 {
		t.Errorf("%d requests", n)
	}
}

// TestPushAgain is pushes that do not work at once.
func TestPushAgain(t *testing.T) {
	t.Parallel()
	tar := noise(3 << 20)
	for name, first := range map[string]func(w http.ResponseWriter, r *http.Request){
		"cut": func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.CopyN(io.Discard, r.Body, 1<<20)
			panic(http.ErrAbortHandler)
		},
		"fails at the end": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(http.StatusInternalServerError)
		},
		"knows no expectation": func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Expect") != "100-continue" {
				panic("no expectation")
			}
			w.WriteHeader(http.StatusExpectationFailed)
		},
		"wants another token": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", `Basic realm="r"`)
			w.WriteHeader(http.StatusUnauthorized)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			puts := 0
			f := newFake(t, func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method != http.MethodPut || !strings.Contains(r.URL.Path, "/blobs/") {
					return false
				}
				if puts++; puts > 1 {
					return false
				}
				first(w, r)
				return true
			})
			c := newClient(t, registry.Options{Credentials: registry.Static(registry.Login{Username: "me", Password: "a-secret"})})
			if _, err := c.Push(t.Context(), f.address(t, ":1"), tar, registry.Origin{}); err != nil {
				t.Fatal(err)
			}
			if got := f.blobs[digest.FromBytes(tar).String()]; !bytes.Equal(got, tar) {
				t.Errorf("%d bytes arrived", len(got))
			}
		})
	}
}

func TestPushRefused(t *testing.T) {
	t.Parallel()
	isUpload := func(r *http.Request) bool { return strings.Contains(r.URL.Path, "/blobs/uploads/") }
	for name, tt := range map[string]struct {
		at     func(r *http.Request) bool
		answer func(w http.ResponseWriter, r *http.Request)
		kind   error
		words  string
	}{
		"too large": {func(r *http.Request) bool { return isUpload(r) && r.Method == http.MethodPut }, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
		}, registry.ErrRefused, "413 Request Entity Too Large: the bundle is too large for the registry, or for a proxy on the way"},
		"no rights": {isUpload, func(w http.ResponseWriter, _ *http.Request) {
			refuse(w, http.StatusForbidden, "DENIED", "requested access to the resource is denied\x1b[31m")
		}, registry.ErrDenied, `the registry gives no right to push (requested access to the resource is denied\x1b[31m): there is none for`},
		"for reading only": {isUpload, func(w http.ResponseWriter, _ *http.Request) {
			refuse(w, http.StatusMethodNotAllowed, "UNSUPPORTED", "")
		}, registry.ErrRefused, "it may be for reading only"},
		"tag is there": {func(r *http.Request) bool {
			return r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/")
		}, func(w http.ResponseWriter, _ *http.Request) {
			refuse(w, http.StatusConflict, "TAG_INVALID", "immutable")
		}, registry.ErrRefused, "409 Conflict (immutable): the tag may be there already"},
		"changed on the way": {func(r *http.Request) bool { return isUpload(r) && r.Method == http.MethodPut }, func(w http.ResponseWriter, _ *http.Request) {
			refuse(w, http.StatusBadRequest, "DIGEST_INVALID", "")
		}, registry.ErrMismatch, "what arrived at the registry is not what was sent"},
		"redirects": {isUpload, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://other.example/secret", http.StatusTemporaryRedirect)
		}, registry.ErrRefused, "redirects what is sent to it to other.example, which is not followed"},
		"uploads elsewhere": {isUpload, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://other.example/secret")
			w.WriteHeader(http.StatusAccepted)
		}, registry.ErrRefused, "wants the bundle at another address than its own"},
		"uploads nowhere": {isUpload, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusAccepted)
		}, registry.ErrRefused, "the answer is not that of a registry"},
		"another digest": {func(r *http.Request) bool {
			return r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/")
		}, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Docker-Content-Digest", sha)
			w.WriteHeader(http.StatusCreated)
		}, registry.ErrMismatch, "of another digest"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, func(w http.ResponseWriter, r *http.Request) bool {
				if tt.at(r) {
					tt.answer(w, r)
				}
				return tt.at(r)
			})
			_, err := newClient(t, registry.Options{}).Push(t.Context(), f.address(t, ":1"), noise(2<<20), registry.Origin{})
			check(t, err, tt.kind, tt.words)
		})
	}
}

// changed is a bundle whose file has changed.
type changed struct{ content }

var errChanged = errors.New("it changed")

func (c changed) Open() (io.ReadCloser, error) {
	return io.NopCloser(io.MultiReader(bytes.NewReader(c.content[:len(c.content)/2]), failing{})), nil
}

type failing struct{}

func (failing) Read([]byte) (int, error)  { return 0, errChanged }
func (failing) Write([]byte) (int, error) { return 0, errChanged }

// TestOwn: what the caller's bundle or writer does is not the registry's fault.
func TestOwn(t *testing.T) {
	t.Parallel()
	f := newFake(t, nil)
	c := newClient(t, registry.Options{})
	_, err := c.Push(t.Context(), f.address(t, ":1"), changed{noise(1 << 20)}, registry.Origin{})
	var e *registry.Error
	if !errors.Is(err, errChanged) || errors.As(err, &e) || len(f.manifests) > 0 {
		t.Errorf("%v, %d manifests", err, len(f.manifests))
	}
	f.keep(t, "1", noise(10))
	if _, err := c.Pull(t.Context(), f.address(t, ":1"), failing{}); !errors.Is(err, errChanged) || errors.As(err, &e) {
		t.Error(err)
	}
}

// TestInterrupted: the end of a context ends what waits.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"/manifests/", "/blobs/sha256", "/blobs/uploads/"} {
		ctx, cancel := context.WithCancel(t.Context())
		f := newFake(t, func(_ http.ResponseWriter, r *http.Request) bool {
			if !strings.Contains(r.URL.Path, at) {
				return false
			}
			cancel()
			<-r.Context().Done() // it ends with the connection
			return true
		})
		c := newClient(t, registry.Options{})
		_, err := c.Push(ctx, f.address(t, ":1"), noise(1<<20), registry.Origin{})
		if !errors.Is(err, context.Canceled) || !strings.HasSuffix(err.Error(), ": interrupted") {
			t.Errorf("%s: %v", at, err)
		}
	}
}

// TestSilence is a registry that takes a request and says nothing.
func TestSilence(t *testing.T) {
	t.Parallel()
	f := newFake(t, func(_ http.ResponseWriter, r *http.Request) bool {
		<-r.Context().Done()
		return true
	})
	_, err := newClient(t, registry.Options{Silence: 1e6, Attempts: 2}).Resolve(t.Context(), f.address(t, ":1"))
	check(t, err, registry.ErrUnreachable, "nothing has come from the registry for 0 s, 2 times")
}

// TestNothingLeft: a pull that fails leaves no temporary file.
func TestNothingLeft(t *testing.T) {
	f := newFake(t, nil)
	f.keep(t, "1", noise(1000))
	f.blobs[digest.FromBytes(noise(1000)).String()] = make([]byte, 1000)
	dir := t.TempDir()
	for _, variable := range []string{"TMPDIR", "TMP"} {
		t.Setenv(variable, dir)
	}
	c := newClient(t, registry.Options{})
	_, err := c.PullFile(t.Context(), f.address(t, ":1"))
	check(t, err, registry.ErrMismatch)
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
	t.Setenv("TMPDIR", dir+"/gone")
	t.Setenv("TMP", dir+"/gone")
	if _, err := c.PullFile(t.Context(), f.address(t, ":1")); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "TMPDIR names the directory") {
		t.Error(err)
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	f := unstarted(nil)
	f.Config.ErrorLog = quiet
	f.StartTLS()
	defer f.Close()
	f.keep(t, "1", noise(10))
	addr := f.address(t, ":1")
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.Certificate().Raw})
	stranger := []byte(strangerCA)

	for name, opts := range map[string]registry.Options{"trusted": {Certificate: ca}, "insecure": {Insecure: true}} {
		if _, err := newClient(t, opts).Pull(t.Context(), addr, io.Discard); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := newClient(t, registry.Options{Certificate: stranger}).Resolve(t.Context(), addr)
	check(t, err, registry.ErrUnreachable, "the registry's certificate is signed by an unknown authority", "pass it or its CA as registry.Options.Certificate")
	if n := len(f.requests("")); n != 4 {
		t.Errorf("%d requests, want those of two pulls", n)
	}
	_, err = newClient(t, registry.Options{}).Resolve(t.Context(), addr) // plain, since it is a loopback address
	check(t, err, registry.ErrRefused, "400 Bad Request")

	plain := newFake(t, nil)
	_, err = newClient(t, registry.Options{Insecure: true}).Resolve(t.Context(), plain.address(t, ":1"))
	check(t, err, registry.ErrUnreachable, "the registry does not speak TLS on this port: allow registry.Options.PlainHTTP")

	plain.Close()
	_, err = newClient(t, registry.Options{}).Resolve(t.Context(), plain.address(t, ":1"))
	check(t, err, registry.ErrUnreachable, "nothing listens on "+plain.host()+": check the host and port of the address")
}

// TestStorage: blobs may come from elsewhere, where no login goes.
func TestStorage(t *testing.T) {
	t.Parallel()
	tar := noise(1000)
	expired := 2
	storage := newFake(t, func(w http.ResponseWriter, r *http.Request) bool {
		for _, field := range []string{"Authorization", "Cookie"} {
			if r.Header.Get(field) != "" {
				t.Errorf("%s came to the storage", field)
			}
		}
		if expired--; expired >= 0 {
			w.WriteHeader(http.StatusForbidden)
			return true
		}
		return false
	})
	storage.keep(t, "1", tar)
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) bool {
		if !basic(w, r) {
			return true
		}
		if strings.Contains(r.URL.Path, "/blobs/") {
			http.Redirect(w, r, storage.URL+r.URL.Path+"?X-Amz-Signature=secret", http.StatusTemporaryRedirect)
			return true
		}
		return false
	})
	f.keep(t, "1", tar)
	login := registry.Static(registry.Login{Username: "me", Password: "a-secret"})
	var got bytes.Buffer
	if _, err := newClient(t, registry.Options{Credentials: login}).Pull(t.Context(), f.address(t, ":1"), &got); err != nil || !bytes.Equal(got.Bytes(), tar) {
		t.Errorf("%d bytes, %v", got.Len(), err)
	}
	expired = 100
	_, err := newClient(t, registry.Options{Credentials: login}).Pull(t.Context(), f.address(t, ":1"), &got)
	check(t, err, registry.ErrUnreachable, storage.host()+", to which the registry sends for it, answers 403 Forbidden, 5 times")

	secure := unstarted(func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, storage.URL+r.URL.Path, http.StatusTemporaryRedirect)
		return true
	})
	secure.StartTLS()
	defer secure.Close()
	asked := len(storage.requests(""))
	_, err = newClient(t, registry.Options{Insecure: true}).Pull(t.Context(), secure.address(t, ":1"), &got)
	check(t, err, registry.ErrRefused, "over plain HTTP, where everyone on the way could read along")
	if n := len(storage.requests("")); n != asked {
		t.Errorf("%d requests over plain HTTP", n-asked)
	}
}

// basic lets in who has the password, and reports whether it has.
func basic(w http.ResponseWriter, r *http.Request) bool {
	if name, password, _ := r.BasicAuth(); name == "me" && password == "a-secret" {
		return true
	}
	w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
	refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "you sent "+r.Header.Get("Authorization"))
	return false
}

func TestLogin(t *testing.T) {
	t.Parallel()
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) bool { return !basic(w, r) })
	f.keep(t, "1", noise(10))
	addr := f.address(t, ":1")
	resolve := func(c registry.Credentials) error {
		_, err := newClient(t, registry.Options{Credentials: c}).Resolve(t.Context(), addr)
		return err
	}
	if err := resolve(registry.Static(registry.Login{Username: "me", Password: "a-secret"})); err != nil {
		t.Error(err)
	}
	check(t, resolve(nil), registry.ErrDenied, `the registry wants a login: there is none for `+f.host()+`: registry.Options.Credentials gives one`)
	check(t, resolve(registry.Static(registry.Login{Username: "me", RefreshToken: "secret"})), registry.ErrDenied, "does not take the login")
	wrong := resolve(registry.Static(registry.Login{Username: "me", Password: "another-secret"}))
	check(t, wrong, registry.ErrDenied, "the registry does not take the login: check user name and password")
	for _, secret := range []string{"another-secret", "bWU6"} {
		if text := fmt.Sprintf("%v %+v %#v", wrong, wrong, wrong); strings.Contains(text, secret) {
			t.Errorf("%s has %s in it", text, secret)
		}
	}
	echo := newFake(t, func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Authorization") == "" {
			return !basic(w, r)
		}
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_, _ = io.WriteString(conn, r.Header.Get("Authorization")+"\r\n\r\n")
			_ = conn.Close()
		}
		return true
	})
	_, err := newClient(t, registry.Options{Credentials: registry.Static(registry.Login{Username: "me", Password: "a-secret"})}).Resolve(t.Context(), echo.address(t, ":1"))
	check(t, err, registry.ErrUnreachable, "the answer of the registry is not HTTP")
	var told *registry.Error
	if errors.As(err, &told); strings.Contains(fmt.Sprint(told.Err), "bWU6") {
		t.Errorf("%v has the login in it", told.Err)
	}
	own := errors.New("the vault is closed")
	if err := resolve(func(context.Context, string) (registry.Login, error) { return registry.Login{}, own }); !errors.Is(err, own) {
		t.Error(err)
	}
	secret := registry.Login{Username: "me", Password: "a-secret"}
	encoded, err := json.Marshal(secret)
	if text := fmt.Sprintf("%v %+v %#v %s", secret, secret, &secret, encoded); err != nil || strings.Contains(text, "secret") {
		t.Errorf("%s, %v", text, err)
	}
}

func TestDocker(t *testing.T) {
	t.Parallel()
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) bool { return !basic(w, r) })
	f.keep(t, "1", noise(10))
	path := t.TempDir() + "/config.json"
	resolve := func(config string) error {
		if config != "" {
			if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		_, err := newClient(t, registry.Options{Credentials: registry.Docker(path)}).Resolve(t.Context(), f.address(t, ":1"))
		return err
	}
	check(t, resolve(""), registry.ErrDenied, "wants a login") // there is no file
	if err := resolve(`{"auths":{"` + f.host() + `":{"auth":"bWU6YS1zZWNyZXQ="}}}`); err != nil {
		t.Error(err)
	}
	check(t, resolve(`{"auths":{"other.example":{"auth":"bWU6YS1zZWNyZXQ="}}}`), registry.ErrDenied, "wants a login")
	check(t, resolve(`{"auths": secret`), registry.ErrLogin, "Docker's configuration "+path+" cannot be read")
	check(t, resolve(`{"auths":{"`+f.host()+`":{"auth":"secret"}}}`), registry.ErrLogin, "gives no login for "+f.host())
	check(t, resolve(`{"credHelpers":{"`+f.host()+`":"that-is-not-there"}}`), registry.ErrLogin, "its credential helper failed", `"docker login `+f.host()+`"`)
}

// TestTokens is a registry that sends to a token service.
func TestTokens(t *testing.T) {
	t.Parallel()
	login := registry.Static(registry.Login{Username: "me", Password: "a-secret"})
	bearer := func(realm func() string) func(w http.ResponseWriter, r *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if r.Header.Get("Authorization") == "Bearer secret-token" {
				return false
			}
			w.Header().Set("WWW-Authenticate", `Bearer realm="`+realm()+`",service="registry",scope="repository:team/shop:pull"`)
			refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
			return true
		}
	}
	status := http.StatusOK
	tokens := newFake(t, func(w http.ResponseWriter, r *http.Request) bool {
		w.WriteHeader(status)
		if name, password, _ := r.BasicAuth(); name == "me" && password == "a-secret" && r.URL.Query().Get("scope") != "" {
			_, _ = io.WriteString(w, `{"token":"secret-token"}`)
		}
		return true
	})
	f := newFake(t, bearer(func() string { return tokens.URL + "/token" }))
	tar := noise(1000)
	c := newClient(t, registry.Options{Credentials: login})
	pushed, err := c.Push(t.Context(), f.address(t, ":1"), tar, registry.Origin{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Pull(t.Context(), pushed.Address, io.Discard); err != nil {
		t.Fatal(err)
	}
	status = http.StatusUnauthorized
	_, err = c.Resolve(t.Context(), pushed.Address)
	check(t, err, registry.ErrDenied, "the registry's token service answers 401 Unauthorized: check user name and password")
	status = http.StatusBadGateway
	_, err = c.Resolve(t.Context(), pushed.Address)
	check(t, err, registry.ErrUnreachable, "502 Bad Gateway, 5 times")

	asked := len(tokens.requests(""))
	secure := unstarted(bearer(func() string { return tokens.URL + "/token" }))
	secure.StartTLS()
	defer secure.Close()
	_, err = newClient(t, registry.Options{Credentials: login, Insecure: true}).Resolve(t.Context(), secure.address(t, ":1"))
	check(t, err, registry.ErrDenied, "at an address that no password is sent to")
	metadata := newFake(t, bearer(func() string { return "https://169.254.169.254/token" }))
	_, err = c.Resolve(t.Context(), metadata.address(t, ":1"))
	check(t, err, registry.ErrDenied, "at an address that no password is sent to")
	if n := len(tokens.requests("")); n != asked {
		t.Errorf("%d requests for a token over plain HTTP", n-asked)
	}
}

// TestPlainRealm: a registry that may be spoken to in plain HTTP cannot send the
// password elsewhere in plain HTTP.
func TestPlainRealm(t *testing.T) {
	t.Parallel()
	f := newFake(t, func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("WWW-Authenticate", `Bearer realm="http://192.0.2.1/token"`)
		w.WriteHeader(http.StatusUnauthorized)
		return true
	})
	_, err := newClient(t, registry.Options{Credentials: registry.Static(registry.Login{Username: "me", Password: "a-secret"})}).Resolve(t.Context(), f.address(t, ":1"))
	check(t, err, registry.ErrRefused, "sends to 192.0.2.1 over plain HTTP")
}
