package registry_test

import (
	"bytes"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content/file"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"

	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/registry"
	"github.com/spirostack/spirodeploy/tests/program"
)

// shop returns a bundle of some size, the same for the same size.
func shop(t *testing.T, size int) *bundle.Bundle {
	t.Helper()
	filler := bytes.Repeat([]byte("0123456789abcdef"), size/16)
	b, err := bundle.New(t.Context(), bundle.Options{Dir: t.TempDir(), Files: map[string][]byte{"spirotop.sls": []byte("prod: {'*': [web]}\n"), "filler": filler}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func digestOf(t *testing.T, b *bundle.Bundle) digest.Digest {
	t.Helper()
	sum, err := b.Digest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// check checks that an error is of a kind and has some words, and not the password.
func check(t *testing.T, err, kind error, words string) {
	t.Helper()
	if !errors.Is(err, kind) || !strings.Contains(err.Error(), words) || strings.Contains(err.Error(), password) {
		t.Errorf("%v, want %v and %q", err, kind, words)
	}
}

// pullAll pulls into a file, and opens it as a bundle.
func pullAll(t *testing.T, c *registry.Client, addr registry.Address, want digest.Digest) {
	t.Helper()
	pulled, err := c.PullFile(t.Context(), addr)
	if err != nil {
		t.Fatal(err)
	}
	defer pulled.Close()
	f, err := bundle.OpenFile(t.Context(), pulled.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, err := f.Digest(t.Context()); err != nil || got != want || pulled.Bundle != want {
		t.Errorf("%s has the digest %s (%v), want %s", addr, got, err, want)
	}
}

func TestRegistry(t *testing.T) {
	t.Parallel()
	r := start(t, false, nil)
	c := newClient(t, registry.Options{Credentials: r.login})
	b := shop(t, 1<<20)
	sum := digestOf(t, b)
	from := registry.Origin{Source: "https://git.example.com/shop", Created: time.Unix(1_700_000_000, 0)}

	first, err := c.Push(t.Context(), r.address(t, "team/shop:1.4"), b, from)
	if err != nil || !first.Sent || first.Bundle != sum {
		t.Fatalf("%+v, %v", first, err)
	}
	second, err := c.Push(t.Context(), r.address(t, "team/shop:1.4"), shop(t, 1<<20), from)
	if err != nil || second.Sent || second.Manifest() != first.Manifest() {
		t.Errorf("again: %+v, %v", second, err)
	}
	elsewhere, err := c.Push(t.Context(), r.address(t, "other:2"), b, from)
	if err != nil || elsewhere.Manifest() != first.Manifest() {
		t.Errorf("elsewhere: %+v, %v", elsewhere, err)
	}
	next, err := c.Push(t.Context(), r.address(t, "team/shop:1.4"), shop(t, 2<<20), from)
	if err != nil || !next.Sent || next.Manifest() == first.Manifest() {
		t.Errorf("the next one: %+v, %v", next, err)
	}
	for rest, want := range map[string]digest.Digest{
		":1.4": next.Bundle, "@" + first.Manifest().String(): sum, ":1.4@" + first.Manifest().String(): sum,
	} {
		pullAll(t, c, r.address(t, "team/shop"+rest), want)
	}
	found, err := c.Resolve(t.Context(), first.Address)
	if err != nil || found.Annotations["org.opencontainers.image.created"] != "2023-11-14T22:13:20Z" || found.Annotations["org.opencontainers.image.source"] != from.Source {
		t.Errorf("%+v, %v", found, err)
	}

	_, err = c.Resolve(t.Context(), r.address(t, "team/shop:gone"))
	check(t, err, registry.ErrNotFound, "has no tag gone there")
	_, err = c.Resolve(t.Context(), r.address(t, "nobody:1"))
	check(t, err, registry.ErrNotFound, "has no tag 1 there")
	_, err = c.Resolve(t.Context(), r.address(t, "team/shop@"+sum.String()))
	check(t, err, registry.ErrNotFound, "nothing of that digest there")

	for name, login := range map[string]registry.Credentials{
		"wants a login": nil, "does not take the login": registry.Static(registry.Login{Username: user, Password: "another"}),
	} {
		stranger := newClient(t, registry.Options{Credentials: login})
		_, err = stranger.Resolve(t.Context(), first.Address)
		check(t, err, registry.ErrDenied, name)
		_, err = stranger.Push(t.Context(), r.address(t, "team/shop:2"), b, from)
		check(t, err, registry.ErrDenied, name)
	}
}

// TestDocker: the login of Docker's configuration is found.
func TestDocker(t *testing.T) {
	t.Parallel()
	r := start(t, false, nil)
	path := filepath.Join(t.TempDir(), "config.json")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(user, password)
	_, encoded, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	if err := os.WriteFile(path, []byte(`{"auths":{"`+r.host()+`":{"auth":"`+encoded+`"}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := newClient(t, registry.Options{Credentials: registry.Docker(path)}).Push(t.Context(), r.address(t, "shop:1"), shop(t, 100), registry.Origin{}); err != nil {
		t.Error(err)
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	r := start(t, true, nil)
	r.Config.ErrorLog = nil
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.Certificate().Raw})
	b := shop(t, 100)
	c := newClient(t, registry.Options{Credentials: r.login, Certificate: ca})
	pushed, err := c.Push(t.Context(), r.address(t, "shop:1"), b, registry.Origin{})
	if err != nil {
		t.Fatal(err)
	}
	pullAll(t, c, pushed.Address, pushed.Bundle)
	pullAll(t, newClient(t, registry.Options{Credentials: r.login, Insecure: true}), pushed.Address, pushed.Bundle)
}

// cutting cuts downloads and uploads of blobs after each MiB, a number of times.
type cutting struct {
	http.Handler
	left atomic.Int32
}

const mib = 1 << 20

func (c *cutting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	isBlob := strings.Contains(r.URL.Path, "/blobs/")
	if isBlob && (r.Method == http.MethodGet || r.Method == http.MethodPut && r.ContentLength > mib) && c.left.Add(-1) >= 0 {
		r.Body = io.NopCloser(io.LimitReader(r.Body, mib))
		w = &cutWriter{ResponseWriter: w}
		c.Handler.ServeHTTP(w, r)
		panic(http.ErrAbortHandler)
	}
	c.Handler.ServeHTTP(w, r)
}

type cutWriter struct {
	http.ResponseWriter
	written int
}

func (w *cutWriter) Write(p []byte) (int, error) {
	if w.written += len(p); w.written > 3*mib/2 {
		panic(http.ErrAbortHandler)
	}
	return w.ResponseWriter.Write(p)
}

func TestCut(t *testing.T) {
	t.Parallel()
	c := new(cutting)
	r := start(t, false, func(h http.Handler) http.Handler { c.Handler = h; return c })
	client := newClient(t, registry.Options{Credentials: r.login, Attempts: 3})
	b := shop(t, 8*mib)
	c.left.Store(1)
	pushed, err := client.Push(t.Context(), r.address(t, "shop:1"), b, registry.Origin{})
	if err != nil {
		t.Fatal(err)
	}
	c.left.Store(4) // more than there are attempts
	pullAll(t, client, pushed.Address, pushed.Bundle)
	if left := c.left.Load(); left >= 0 {
		t.Errorf("%d cuts did not come about", left)
	}
}

// orasRepository returns a repository with the client of the command oras.
func orasRepository(t *testing.T, r real, name string) *remote.Repository {
	t.Helper()
	repo, err := remote.NewRepository(r.host() + "/" + name)
	if err != nil {
		t.Fatal(err)
	}
	repo.PlainHTTP = true
	repo.Client = &auth.Client{Client: http.DefaultClient, Cache: auth.NewCache(), Credential: auth.StaticCredential(r.host(), auth.Credential{Username: user, Password: password})}
	return repo
}

// TestOras: "oras pull" gets the bundle. Artifacts of "oras push" and "oras attach" are
// told from a bundle, and do it no harm.
func TestOras(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	r := start(t, false, nil)
	c := newClient(t, registry.Options{Credentials: r.login})
	b := shop(t, mib)
	pushed, err := c.Push(ctx, r.address(t, "shop:1"), b, registry.Origin{})
	if err != nil {
		t.Fatal(err)
	}
	repo := orasRepository(t, r, "shop")
	dir := t.TempDir()
	files, err := file.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	if _, err := oras.Copy(ctx, repo, "1", files, "1", oras.DefaultCopyOptions); err != nil {
		t.Fatal(err)
	}
	f, err := bundle.OpenFile(ctx, filepath.Join(dir, "bundle.tar"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, err := f.Digest(ctx); err != nil || got != pushed.Bundle {
		t.Errorf("it has the digest %s, %v", got, err)
	}

	// A signature is an artifact that refers to the bundle's manifest.
	subject, err := repo.Resolve(ctx, "1")
	if err != nil {
		t.Fatal(err)
	}
	signature, err := oras.PushBytes(ctx, repo, "application/vnd.example.signature", []byte("signed"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := oras.PackManifest(ctx, repo, oras.PackManifestVersion1_1, "application/vnd.example.signature", oras.PackManifestOptions{Subject: &subject, Layers: []ocispec.Descriptor{signature}}); err != nil {
		t.Fatal(err)
	}
	refers := 0
	if err := repo.Referrers(ctx, subject, "", func(found []ocispec.Descriptor) error { refers += len(found); return nil }); err != nil || refers != 1 {
		t.Errorf("%d refer to it, %v", refers, err)
	}
	pullAll(t, c, pushed.Address, pushed.Bundle)

	// Another artifact is not a bundle, unless it has the right layer.
	pack := func(tag string, layers ...ocispec.Descriptor) {
		desc, err := oras.PackManifest(ctx, repo, oras.PackManifestVersion1_1, "application/vnd.unknown.artifact.v1", oras.PackManifestOptions{Layers: layers})
		if err == nil {
			err = repo.Tag(ctx, desc, tag)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	pack("other", signature)
	_, err = c.Resolve(ctx, r.address(t, "shop:other"))
	check(t, err, registry.ErrNotBundle, "there is no bundle under this address: the type of its layer is")
	pack("by-hand", ocispec.Descriptor{MediaType: registry.LayerType, Digest: pushed.Bundle, Size: pushed.Size})
	pullAll(t, c, r.address(t, "shop:by-hand"), pushed.Bundle)
}

// maxPeak is how much memory a push or a pull may use, in KiB.
const maxPeak = 64 << 10

// TestMemory pushes and pulls 1 GiB in 64 MiB of memory.
func TestMemory(t *testing.T) { //nolint:paralleltest // it needs the machine
	size := int64(1 << 30)
	if testing.Short() {
		size = 128 << 20
	}
	r := start(t, false, nil)
	addr := r.address(t, "shop:large").String()
	for _, args := range [][]string{{"push", addr, strconv.FormatInt(size, 10)}, {"pull", addr}} {
		measure, file, peak := program.Measure(t)
		cmd := exec.CommandContext(t.Context(), measure, append([]string{file, program.Build(t, ".", "./transfer")}, args...)...)
		cmd.Env = append(os.Environ(), "TRANSFER_USER="+user, "TRANSFER_PASSWORD="+password)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", args[0], err, out)
		}
		used := peak()
		t.Logf("%s: %d MiB of memory; %s", args[0], used>>10, strings.TrimSpace(string(out)))
		if used > maxPeak || runtime.GOOS == "linux" && used == 0 {
			t.Errorf("%s used %d KiB of memory, more than %d", args[0], used, maxPeak)
		}
	}
}
