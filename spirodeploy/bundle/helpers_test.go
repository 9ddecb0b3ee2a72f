package bundle_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/spirostack/spirodeploy/internal/dev/pace"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
)

// childVar makes the test binary do one thing in a process of its own, as
// another user or with another umask, say.
const childVar = "SPIRODEPLOY_TEST_CHILD"

// children are these things. What they print is their result.
var children = map[string]func() error{}

func TestMain(m *testing.M) {
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); strings.HasPrefix(name, "GIT_") {
			_ = os.Unsetenv(name)
		}
	}
	// No settings of this machine, and no repository that the temporary
	// directory may lie in.
	for name, value := range map[string]string{
		"GIT_CONFIG_GLOBAL": os.DevNull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CEILING_DIRECTORIES": os.TempDir(),
		"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.com", "GIT_AUTHOR_DATE": "2020-01-02T03:04:05Z",
		"GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.com", "GIT_COMMITTER_DATE": "2020-01-02T03:04:05Z",
	} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	if run, ok := children[os.Getenv(childVar)]; ok {
		if err := run(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// lack skips a test, but not where everything must be there.
func lack(tb testing.TB, what string) {
	tb.Helper()
	if os.Getenv("CI") == "true" {
		tb.Fatalf("%s, and CI=true demands it", what)
	}
	tb.Skip(what)
}

// need returns a program, or skips.
func need(tb testing.TB, program string) string {
	tb.Helper()
	found, err := exec.LookPath(program)
	if err != nil {
		lack(tb, "there is no "+program)
	}
	return found
}

// run runs a program in a directory and returns what it prints.
func run(tb testing.TB, dir, program string, args ...string) string {
	tb.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		tb.Fatalf("%s %q: %v\n%s", program, args, err, out)
	}
	return string(out)
}

// node is a thing on disk.
type node struct {
	kind byte // f: file, x: executable file, d: directory, l: symbolic link
	name string
	body string // content, or the link's target
}

// plant makes nodes below dir.
func plant(tb testing.TB, dir string, nodes ...node) {
	tb.Helper()
	check(tb, plantAs(dir, false, nodes...))
}

// plantAs makes nodes below dir; private ones are for their owner only.
func plantAs(dir string, private bool, nodes ...node) error {
	mask := fs.FileMode(0)
	if private {
		mask = 0o077
	}
	for _, n := range nodes {
		file := filepath.Join(dir, filepath.FromSlash(n.name))
		err := os.MkdirAll(filepath.Dir(file), 0o755&^mask)
		mode := 0o644 &^ mask
		switch n.kind {
		case 'd':
			err = errors.Join(err, os.MkdirAll(file, 0o755&^mask))
		case 'l':
			err = errors.Join(err, os.Symlink(n.body, file))
		case 'x':
			mode = 0o755 &^ mask
			fallthrough
		default:
			err = errors.Join(err, os.WriteFile(file, []byte(n.body), mode), os.Chmod(file, mode))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// project makes a project directory of nodes.
func project(tb testing.TB, nodes ...node) string {
	tb.Helper()
	dir := tb.TempDir()
	plant(tb, dir, nodes...)
	return dir
}

// build bundles what must be fit to be bundled, and returns the tar. Whatever
// holds for every bundle is checked here.
func build(tb testing.TB, opts bundle.Options) ([]byte, *bundle.Bundle) {
	tb.Helper()
	b, err := bundle.New(tb.Context(), opts)
	check(tb, err)
	tb.Cleanup(func() { check(tb, b.Close()) })
	data := readAll(tb, b)
	if int64(len(data)) != b.Size() {
		tb.Errorf("Size() is %d, but there are %d bytes", b.Size(), len(data))
	}
	if again := readAll(tb, b); !bytes.Equal(again, data) {
		tb.Error("the second reader yields other bytes")
	}
	var buf bytes.Buffer
	if n, err := b.WriteTo(&buf); err != nil || n != b.Size() || !bytes.Equal(buf.Bytes(), data) {
		tb.Errorf("WriteTo: %d, %v, same bytes: %v", n, err, bytes.Equal(buf.Bytes(), data))
	}
	want := digest.Digest(fmt.Sprintf("sha256:%x", sha256.Sum256(data)))
	if got, err := b.Digest(tb.Context()); err != nil || got != want {
		tb.Errorf("Digest: %v, %v, want %v", got, err, want)
	}
	c, err := bundle.Verify(bytes.NewReader(data))
	check(tb, err)
	if len(c.Foreign)+len(c.Unsafe) > 0 {
		tb.Errorf("Verify does not like it: foreign %v, unsafe %v", c.Foreign, c.Unsafe)
	}
	if c.Digest != want || c.Size != b.Size() || len(c.Items) != b.Len() {
		tb.Errorf("Verify: digest %v, size %d, %d items; want %v, %d, %d", c.Digest, c.Size, len(c.Items), want, b.Size(), b.Len())
	}
	i := 0
	for it := range b.Items() {
		if c.Items[i] != it {
			tb.Errorf("item %d is %+v, but Verify says %+v", i, it, c.Items[i])
		}
		i++
	}
	return data, b
}

func readAll(tb testing.TB, b interface{ Open() (io.ReadCloser, error) }) []byte {
	tb.Helper()
	r, err := b.Open()
	check(tb, err)
	data, err := io.ReadAll(r)
	check(tb, err)
	check(tb, r.Close())
	return data
}

// listing reads a tar with archive/tar: a line for each entry.
func listing(tb testing.TB, data []byte) string {
	tb.Helper()
	var b strings.Builder
	for tr := tar.NewReader(bytes.NewReader(data)); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return b.String()
		}
		check(tb, err)
		content, err := io.ReadAll(tr)
		check(tb, err)
		switch h.Typeflag {
		case tar.TypeDir:
			fmt.Fprintf(&b, "%o %s\n", h.Mode, h.Name)
		case tar.TypeSymlink:
			fmt.Fprintf(&b, "%o %s -> %s\n", h.Mode, h.Name, h.Linkname)
		case tar.TypeReg:
			fmt.Fprintf(&b, "%o %s = %q\n", h.Mode, h.Name, content)
		default:
			tb.Errorf("%s is of type %q", h.Name, h.Typeflag)
		}
		if h.Uid != 0 || h.Gid != 0 || h.Uname != "" || h.Gname != "" || h.Devmajor != 0 || h.Devminor != 0 || !h.AccessTime.IsZero() {
			tb.Errorf("%s tells of this machine: %+v", h.Name, h)
		}
	}
}

// problems returns the error of a tree that must not be bundled. Nothing may be
// left of the attempt.
func problems(tb testing.TB, opts bundle.Options) bundle.Problems {
	tb.Helper()
	b, err := bundle.New(tb.Context(), opts)
	if err == nil {
		_ = b.Close()
		tb.Fatal("no problem was found")
	}
	var ps bundle.Problems
	if b != nil || !errors.As(err, &ps) {
		tb.Fatalf("New returned %v and a %T: %v", b, err, err)
	}
	return ps
}

// ends fails a test that hangs.
func ends(tb testing.TB, do func()) {
	tb.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	select {
	case <-done:
	case <-time.After(pace.Hang):
		tb.Fatal("it hangs")
	}
}

func equal(tb testing.TB, what, got, want string) {
	tb.Helper()
	if got != want {
		tb.Errorf("%s:\n%s\nwant:\n%s", what, got, want)
	}
}
