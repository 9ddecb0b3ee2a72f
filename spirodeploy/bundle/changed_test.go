package bundle_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
)

// stops reads a bundle that must not come to its end.
func stops(tb testing.TB, b interface {
	Open() (io.ReadCloser, error)
	Size() int64
}, want error, text string) {
	tb.Helper()
	r, err := b.Open()
	if err != nil {
		tb.Error(err)
		return
	}
	defer r.Close()
	n, err := io.Copy(io.Discard, r)
	if !errors.Is(err, want) || n >= b.Size() {
		tb.Errorf("%d of %d bytes, and the error %v; want %v before the last byte", n, b.Size(), err, want)
		return
	}
	if _, again := r.Read(make([]byte, 1)); again == nil || errors.Is(again, io.EOF) {
		tb.Errorf("after the error, Read returns %v", again)
	}
	if got := err.Error(); got != text && (text == "" || !strings.HasPrefix(got, text)) {
		tb.Errorf("error: %s\nwant:  %s", got, text)
	}
}

func TestChanged(t *testing.T) {
	t.Parallel()
	const changed = "read _salt/z: changed since the tree was walked: "
	write := func(content string) func(string) error {
		return func(file string) error { return os.WriteFile(file, []byte(content), 0o644) }
	}
	for _, tt := range []struct {
		name, content, want string
		change              func(file string) error
	}{
		{"grows", "content", "it had 7 bytes and has 9", write("content++")},
		{"grows from nothing", "", "it had 0 bytes and has 1", write("x")},
		{"shrinks", "content", "it had 7 bytes and has 1", write("c")},
		{"shrinks to nothing", "content", "it had 7 bytes and has 0", write("")},
		{"vanishes", "content", "it is gone", os.Remove},
		{"empty one vanishes", "", "it is gone", os.Remove},
		{"directory above vanishes", "content", "it is gone", func(file string) error { return os.RemoveAll(filepath.Dir(file)) }},
		{"directory above is a file", "content", "it is gone", func(file string) error {
			return errors.Join(os.RemoveAll(filepath.Dir(file)), os.WriteFile(filepath.Dir(file), nil, 0o644))
		}},
		{"becomes a directory", "content", "it is no regular file any more", func(file string) error {
			return errors.Join(os.Remove(file), os.Mkdir(file, 0o755))
		}},
		{"becomes a dangling link", "content", "a symbolic link is in its place", func(file string) error {
			return errors.Join(os.Remove(file), os.Symlink("nowhere", file))
		}},
		{"same size, another time", "content", "its modification time is another one", func(file string) error {
			return errors.Join(os.WriteFile(file, []byte("CONTENT"), 0o644), os.Chtimes(file, time.Time{}, time.Unix(5, 0)))
		}},
		{"a whole block", strings.Repeat("x", 512), "its modification time is another one", func(file string) error {
			return os.Chtimes(file, time.Time{}, time.Unix(5, 1))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := project(t, node{'f', "_salt/z", tt.content})
			b, err := bundle.New(t.Context(), bundle.Options{Dir: dir, Files: map[string][]byte{"a": []byte("a")}})
			check(t, err)
			defer b.Close()
			check(t, tt.change(filepath.Join(dir, "_salt/z")))
			stops(t, b, bundle.ErrChanged, changed+tt.want)
			if _, err := b.WriteTo(io.Discard); !errors.Is(err, bundle.ErrChanged) {
				t.Errorf("WriteTo returns %v", err)
			}
			if _, err := b.Digest(t.Context()); !errors.Is(err, bundle.ErrChanged) {
				t.Errorf("Digest returns %v", err)
			}
		})
	}
}

func TestChangedWhileRead(t *testing.T) {
	t.Parallel()
	const size = 64 << 20 // more than is read ahead
	for _, tt := range []struct {
		name, want string
		change     func(file string) error
	}{
		{"written to", "its modification time is another one", func(file string) error {
			f, err := os.OpenFile(file, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = f.WriteAt([]byte("y"), size-1)
			// The clock of a file system may be coarse.
			return errors.Join(err, f.Close(), os.Chtimes(file, time.Time{}, time.Now().Add(time.Second)))
		}},
		{"cut", "it had 67108864 bytes and has 33554432", func(file string) error { return os.Truncate(file, size/2) }},
		{"grown", "it had 67108864 bytes and has 67108865", func(file string) error { return os.Truncate(file, size+1) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := project(t, node{'f', "_salt/z", ""})
			check(t, os.Truncate(filepath.Join(dir, "_salt/z"), size))
			b, err := bundle.New(t.Context(), bundle.Options{Dir: dir})
			check(t, err)
			defer b.Close()
			r, err := b.Open()
			check(t, err)
			defer r.Close()
			n, err := io.CopyN(io.Discard, r, 4096)
			check(t, err)
			check(t, tt.change(filepath.Join(dir, "_salt/z")))
			m, err := io.Copy(io.Discard, r)
			if !errors.Is(err, bundle.ErrChanged) || !strings.Contains(err.Error(), "read _salt/z: changed since the tree was walked: "+tt.want) {
				t.Errorf("error: %v, want %s", err, tt.want)
			}
			if n+m >= b.Size() {
				t.Errorf("all %d bytes were yielded", b.Size())
			}
		})
	}
}

// of returns a scanner of these entries.
func of(entries ...bundle.Entry) bundle.Scanner {
	return func(context.Context, string, func(string) bool) iter.Seq2[bundle.Entry, error] {
		return func(yield func(bundle.Entry, error) bool) {
			for _, e := range entries {
				if !yield(e, nil) {
					return
				}
			}
		}
	}
}

func opens(content string) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(content)), nil }
}

// TestScannerLies is a scanner whose sizes are not those of its content.
func TestScannerLies(t *testing.T) {
	t.Parallel()
	broken := errors.New("the database is gone")
	for _, tt := range []struct {
		entry bundle.Entry
		want  error
		text  string
	}{
		{bundle.Entry{Name: "a", Size: 3, Open: opens("long")}, bundle.ErrChanged, "read a: changed since the tree was walked: it has more than 3 bytes"},
		{bundle.Entry{Name: "a", Size: 9, Open: opens("short")}, bundle.ErrChanged, "read a: changed since the tree was walked: it has shrunk by 4 bytes"},
		{bundle.Entry{Name: "a", Open: opens("size forgotten")}, bundle.ErrChanged, "read a: changed since the tree was walked: it has more than 0 bytes"},
		{bundle.Entry{Name: "a", Open: func() (io.ReadCloser, error) { return nil, broken }}, broken, "read a: the database is gone"},
	} {
		b, err := bundle.New(t.Context(), bundle.Options{Dir: t.TempDir(), Scanners: []bundle.Scanner{of(tt.entry)}})
		check(t, err)
		stops(t, b, tt.want, tt.text)
		check(t, b.Close())
	}
}

func TestDigestOption(t *testing.T) {
	t.Parallel()
	dir := project(t, everything...)
	right, _ := build(t, bundle.Options{Dir: dir})
	wrong := digest.FromString("other")
	b, err := bundle.New(t.Context(), bundle.Options{Dir: dir, Digest: wrong})
	check(t, err)
	defer b.Close()
	stops(t, b, bundle.ErrDigest, "the bundle has another digest: it is "+digest.FromBytes(right).String()+", not "+wrong.String())
	if _, err := b.Digest(t.Context()); !errors.Is(err, bundle.ErrDigest) {
		t.Errorf("Digest returns %v", err)
	}
	build(t, bundle.Options{Dir: dir, Digest: digest.FromBytes(right)})
}

// TestDigestRemembered is a change that nothing betrays: what was read once is what
// is read later.
func TestDigestRemembered(t *testing.T) {
	t.Parallel()
	content := "one"
	entry := bundle.Entry{Name: "a", Size: 3, Open: func() (io.ReadCloser, error) { return opens(content)() }}
	_, b := build(t, bundle.Options{Dir: t.TempDir(), Scanners: []bundle.Scanner{of(entry)}})
	content = "two"
	stops(t, b, bundle.ErrDigest, "the bundle has another digest: it is ")
}

func TestDigestCancelled(t *testing.T) {
	t.Parallel()
	b, err := bundle.New(t.Context(), bundle.Options{Dir: project(t, everything...)})
	check(t, err)
	defer b.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Digest(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Digest returns %v", err)
	}
	if b, err := bundle.New(ctx, bundle.Options{Dir: project(t, everything...)}); b != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("New returns %v, %v", b, err)
	}
}

// TestCloseWhileRead is what an HTTP client does with a body when the server
// has answered early.
func TestCloseWhileRead(t *testing.T) {
	t.Parallel()
	b, err := bundle.New(t.Context(), bundle.Options{Dir: project(t, node{'f', "_salt/z", strings.Repeat("x", 1<<20)})})
	check(t, err)
	defer b.Close()
	for range 20 {
		r, err := b.Open()
		check(t, err)
		began := make(chan struct{})
		var once sync.Once
		var wg sync.WaitGroup
		wg.Go(func() {
			buf := make([]byte, 700)
			for {
				_, err := r.Read(buf)
				once.Do(func() { close(began) })
				if err != nil {
					if !errors.Is(err, fs.ErrClosed) && !errors.Is(err, io.EOF) {
						t.Errorf("Read returns %v", err)
					}
					return
				}
			}
		})
		<-began
		check(t, r.Close())
		wg.Wait()
	}
	r, err := b.Open()
	check(t, err)
	check(t, r.Close())
	check(t, r.Close())
	if n, err := r.Read(make([]byte, 1)); n != 0 || !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Read after Close returns %d, %v", n, err)
	}
}

// TestReaders do not disturb each other, whatever the size of their buffers.
func TestReaders(t *testing.T) {
	t.Parallel()
	opts := everythingOptions(project(t, everything...))
	opts.Scanners = []bundle.Scanner{of(bundle.Entry{Name: "spooled", Size: bundle.Unknown, Open: opens("once")})}
	want, b := build(t, opts)
	var wg sync.WaitGroup
	for _, size := range []int{1, 7, 511, 512, 513, 4096, 1 << 20} {
		wg.Go(func() {
			r, err := b.Open()
			if err != nil {
				t.Error(err)
				return
			}
			defer r.Close()
			var got bytes.Buffer
			_, err = io.CopyBuffer(struct{ io.Writer }{&got}, struct{ io.Reader }{r}, make([]byte, size))
			if err != nil || !bytes.Equal(got.Bytes(), want) {
				t.Errorf("buffer of %d: %v, same bytes: %v", size, err, bytes.Equal(got.Bytes(), want))
			}
		})
	}
	wg.Wait()
}

func TestPumped(t *testing.T) {
	t.Parallel()
	right, wrong := digest.FromString("content"), digest.FromString("other")
	for _, tt := range []struct {
		name string
		size int64
		want digest.Digest
		err  error
	}{
		{"whatever it is", 7, "", nil},
		{"right", 7, right, nil},
		{"wrong", 7, wrong, bundle.ErrDigest},
		{"too short", 8, "", bundle.ErrChanged},
		{"too long", 6, "", bundle.ErrChanged},
		{"too long for the digest", 6, digest.FromString("conten"), bundle.ErrChanged},
	} {
		for _, buffer := range []int{1, 3, 6, 7, 100} {
			var learned digest.Digest
			r := bundle.Pumped(strings.NewReader("content"), tt.size, tt.want, func(d digest.Digest) { learned = d })
			n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{r}, make([]byte, buffer))
			switch {
			case !errors.Is(err, tt.err), err != nil && n >= tt.size:
				t.Errorf("%s, buffer of %d: %d bytes, %v", tt.name, buffer, n, err)
			case tt.err == nil && learned != right, tt.err != nil && learned != "":
				t.Errorf("%s, buffer of %d: learned %q", tt.name, buffer, learned)
			}
		}
	}
}
