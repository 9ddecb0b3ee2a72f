package bundle_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
)

func TestOptionProblems(t *testing.T) {
	t.Parallel()
	dir := project(t, node{'f', "_salt/top.sls", "x"}, node{'f', "file", ""})
	missing, file := filepath.Join(dir, "missing"), filepath.Join(dir, "file")
	for _, tt := range []struct {
		opts bundle.Options
		want string
		is   error
	}{
		{bundle.Options{Dir: missing}, missing + ": project directory: no such file or directory (name another one with bundle.Options.Dir)", fs.ErrNotExist},
		{bundle.Options{Dir: file}, file + ": project directory: is a file (name its directory with bundle.Options.Dir)", nil},
		{bundle.Options{Dir: dir, Digest: "sha256:0"}, `digest "sha256:0": malformed, not a SHA-256 digest (it looks like "sha256:" and 64 hexadecimal digits)`, nil},
		{
			bundle.Options{Dir: dir, Digest: "sha512:" + sha512},
			`digest "sha512:` + sha512 + `": malformed, not a SHA-256 digest (it looks like "sha256:" and 64 hexadecimal digits)`, nil,
		},
		{bundle.Options{Dir: dir, ModTime: time.Unix(-1, 0)}, "modification time 1969-12-31T23:59:59Z: outside of what a tar header holds, 1970 to 2242", nil},
		{bundle.Options{Dir: dir, ModTime: time.Unix(1<<33, 0)}, "modification time 2242-03-16T12:56:32Z: outside of what a tar header holds, 1970 to 2242", nil},
		{bundle.Options{Dir: dir, Exclude: []string{""}}, `exclude "": not a valid pattern (is a variable not set?)`, nil},
		{bundle.Options{Dir: dir, Exclude: []string{" "}}, `exclude " ": not a valid pattern (is a variable not set?)`, nil},
		{bundle.Options{Dir: dir, Exclude: []string{"{a"}}, `exclude "{a": not a valid pattern (write \{ for a { that stands for itself)`, nil},
		{bundle.Options{Dir: dir, Exclude: []string{"[a"}}, `exclude "[a": not a valid pattern (write \[ for a [ that stands for itself)`, nil},
		{bundle.Options{Dir: dir, Exclude: []string{"{a[b]"}}, `exclude "{a[b]": not a valid pattern (write \[ and \{ for a [ and a { that stand for themselves)`, nil},
		{bundle.Options{Dir: dir, Exclude: []string{`build\`}}, `exclude "build\\": not a valid pattern (write / between directories)`, nil},
		{bundle.Options{Dir: dir, Exclude: []string{`[a\`}}, `exclude "[a\\": not a valid pattern (write \[ for a [ that stands for itself)`, nil},
		{bundle.Options{Dir: dir, Artifacts: []bundle.Artifact{bundle.ParseArtifact(dir, "=build/x")}}, "=build/x: artifact: no such file or directory (is a variable not set?)", fs.ErrNotExist},
		{bundle.Options{Dir: dir, Artifacts: []bundle.Artifact{{Path: "build/=x"}}}, "build/=x: artifact: no such file or directory (build it first, or correct its path)", fs.ErrNotExist},
		{bundle.Options{Dir: dir, Exclude: []string{"*"}}, "nothing to bundle: the exclude patterns leave nothing of " + dir + " (correct bundle.Options.Exclude)", bundle.ErrEmpty},
		{
			bundle.Options{Dir: dir, Files: map[string][]byte{"../x": nil, "/x": nil, "a//b": nil, "": nil, ".": nil}}, `5 problems:
  - bad name: empty
  - .: bad name: not a clean path ("." would be)
  - ../x: bad name: has .. as an element
  - /x: bad name: is absolute
  - a//b: bad name: not a clean path ("a/b" would be)`, bundle.ErrName,
		},
		{
			bundle.Options{Dir: dir, Files: map[string][]byte{"web/.git/config": nil}},
			"web/.git/config: .git is never a part of a bundle (to leave it out: bundle.Options.Exclude web/.git/config)", nil,
		},
		{
			bundle.Options{Dir: missing, ModTime: time.Unix(-1, 0), Digest: "x", Exclude: []string{"["}, Artifacts: []bundle.Artifact{{Path: "/etc"}}},
			"5 problems:\n  - " + missing + ": project directory: ", fs.ErrNotExist,
		},
	} {
		ps := problems(t, tt.opts)
		if got := ps.Error(); got != tt.want && !strings.HasPrefix(got, tt.want) || tt.is != nil && !errors.Is(ps, tt.is) {
			t.Errorf("problems: %s\nwant:     %s, and errors.Is %v", got, tt.want, tt.is)
		}
	}
	build(t, bundle.Options{Dir: dir, ModTime: time.Unix(1<<33-1, 5)})
}

const sha512 = "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"

// TestScannerProblems are entries of scanners that cannot be in a bundle.
func TestScannerProblems(t *testing.T) {
	t.Parallel()
	const hint = " (to leave it out: bundle.Options.Exclude "
	for _, tt := range []struct {
		entry bundle.Entry
		want  string
		is    error
	}{
		{bundle.Entry{}, "bad name: empty", bundle.ErrName},
		{bundle.Entry{Name: "a\x00b"}, `a\x00b: bad name: has a NUL character` + hint + `'/a?b')`, bundle.ErrName},
		{bundle.Entry{Name: "d/\xff"}, `d/\xff: bad name: is not valid UTF-8` + hint + `'d/?')`, bundle.ErrName},
		{bundle.Entry{Name: "../up"}, "../up: bad name: has .. as an element", bundle.ErrName},
		{bundle.Entry{Name: "a/.."}, "a/..: bad name: has .. as an element", bundle.ErrName},
		{bundle.Entry{Name: "./a"}, `./a: bad name: not a clean path ("a" would be)`, bundle.ErrName},
		{bundle.Entry{Name: "a"}, "a: scanner: a file with nothing to open" + hint + "/a)", nil},
		{bundle.Entry{Name: "a", Size: bundle.Unknown}, "a: scanner: a file with nothing to open" + hint + "/a)", nil},
		{bundle.Entry{Name: "a", Mode: fs.ModeDevice}, "a: is a device: neither file, directory nor symbolic link" + hint + "/a)", bundle.ErrKind},
		{bundle.Entry{Name: "a", Mode: fs.ModeIrregular}, "a: is a special file: neither file, directory nor symbolic link" + hint + "/a)", bundle.ErrKind},
		{bundle.Entry{Name: "a", Mode: fs.ModeSymlink}, "a: symbolic link has no target" + hint + "/a)", bundle.ErrLink},
		{bundle.Entry{Name: "a", Mode: fs.ModeSymlink, Link: "\xff"}, `a: symbolic link to \xff is not valid UTF-8` + hint + "/a)", bundle.ErrLink},
		{bundle.Entry{Name: "a", Mode: fs.ModeSymlink, Link: "a\x00"}, `a: symbolic link to a\x00 has a NUL character` + hint + "/a)", bundle.ErrLink},
		{
			bundle.Entry{Name: "a", Size: bundle.Unknown, Open: func() (io.ReadCloser, error) { return nil, errors.New("the database is gone") }},
			"a: the database is gone" + hint + "/a)", nil,
		},
		{
			bundle.Entry{Name: "a", Size: bundle.Unknown, Open: func() (io.ReadCloser, error) {
				return io.NopCloser(iotest.ErrReader(errors.New("the database is gone"))), nil
			}},
			"a: copy to a temporary file: the database is gone" + hint + "/a)", nil,
		},
	} {
		ps := problems(t, bundle.Options{Dir: t.TempDir(), Scanners: []bundle.Scanner{of(tt.entry)}})
		equal(t, "problem", ps.Error(), tt.want)
		if tt.is != nil && !errors.Is(ps, tt.is) {
			t.Errorf("%v is not %v", ps, tt.is)
		}
	}
	open := opens("")
	ps := problems(t, bundle.Options{Dir: t.TempDir(), Scanners: []bundle.Scanner{
		of(bundle.Entry{Name: "a", Open: open}, bundle.Entry{Name: "d/x", Open: open}),
		of(bundle.Entry{Name: "a", Open: open}, bundle.Entry{Name: "d", Open: open}),
	}})
	equal(t, "problems", ps.Error(), `2 problems:
  - a: two entries of one path: a is made from a too (leave one of them out)
  - d: two entries of one path: d is both a file and a directory (leave one of them out)`)
	if !errors.Is(ps, bundle.ErrDuplicate) {
		t.Error("it is not ErrDuplicate")
	}
}

// TestScannerErrors are errors that a scanner yields: what it says about them
// is not lost, and scanning goes on.
func TestScannerErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, notThere := os.Open(filepath.Join(dir, "template"))
	scanner := func(context.Context, string, func(string) bool) iter.Seq2[bundle.Entry, error] {
		return func(yield func(bundle.Entry, error) bool) {
			_ = yield(bundle.Entry{}, notThere) &&
				yield(bundle.Entry{Name: "page"}, fmt.Errorf("render page: %w", notThere)) &&
				yield(bundle.FileEntry("file", filepath.Join(dir, "file"))) &&
				yield(bundle.FileEntry("other", filepath.Join(filepath.Dir(dir), "other")))
		}
	}
	ps := problems(t, bundle.Options{Dir: dir, Scanners: []bundle.Scanner{scanner}})
	gone := "open " + dir + "/template: no such file or directory"
	equal(t, "problems", ps.Error(), `4 problems:
  - `+gone+`
  - `+filepath.Dir(dir)+`/other: no such file or directory (to leave it out: bundle.Options.Exclude /other)
  - file: no such file or directory (to leave it out: bundle.Options.Exclude /file)
  - page: render page: `+gone+` (to leave it out: bundle.Options.Exclude /page)`)
	if !errors.Is(ps, fs.ErrNotExist) {
		t.Error("it is not fs.ErrNotExist")
	}
}

// TestHints tries what the hints of problems say: the pattern leaves out what
// it was given for, and nothing else.
func TestHints(t *testing.T) {
	t.Parallel()
	names := []string{"plain", "[a]", "a*b", "{x,y}", `back\slash`, "it's", "two words", "ctrl\x1bx", "größe", "q?"}
	dir := t.TempDir()
	for _, name := range names {
		plant(t, dir, node{'l', "_salt/" + name, "nowhere"}, node{'f', "_salt/keep/" + name, ""}, node{'l', "_salt/sub/" + name, "nowhere"})
	}
	ps := problems(t, bundle.Options{Dir: dir})
	var exclude []string
	for _, p := range ps {
		_, word, ok := strings.Cut(p.Hint.String(), "bundle.Options.Exclude ")
		if !ok {
			t.Fatalf("no hint: %v", p)
		}
		if strings.HasPrefix(word, "'") {
			word = strings.ReplaceAll(word[1:len(word)-1], `'\''`, "'")
		}
		exclude = append(exclude, word)
	}
	_, b := build(t, bundle.Options{Dir: dir, Exclude: exclude})
	if len(ps) != 2*len(names) || b.Len() != len(names)+2 {
		t.Errorf("%d problems, and %d entries without them", len(ps), b.Len())
	}
}

// TestNothingLeft is not parallel, for it changes the environment: no temporary
// file is left by what fails, nor kept open.
func TestNothingLeft(t *testing.T) {
	tmp, dir := t.TempDir(), t.TempDir()
	t.Setenv("TMPDIR", tmp)
	spooled := bundle.Entry{Name: "spooled", Size: bundle.Unknown, Open: opens("x")}
	bad := bundle.Entry{Name: "../bad", Mode: fs.ModeDir}
	problems(t, bundle.Options{Dir: dir, Scanners: []bundle.Scanner{of(spooled, bad)}})
	build(t, bundle.Options{Dir: dir, Scanners: []bundle.Scanner{of(spooled)}})
	ctx, cancel := context.WithCancel(t.Context())
	cancelled := bundle.Entry{Name: "a", Size: bundle.Unknown, Open: func() (io.ReadCloser, error) { cancel(); return opens("")() }}
	if b, err := bundle.New(ctx, bundle.Options{Dir: dir, Scanners: []bundle.Scanner{of(spooled, cancelled, spooled)}}); b != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("New returns %v, %v", b, err)
	}
	b, err := bundle.New(t.Context(), bundle.Options{Dir: dir, Scanners: []bundle.Scanner{of(spooled)}})
	check(t, err)
	check(t, b.Close())
	stops(t, b, fs.ErrClosed, "read spooled: file already closed")
	left, err := os.ReadDir(tmp)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}

	t.Setenv("TMPDIR", filepath.Join(tmp, "missing"))
	twice := of(spooled, bundle.Entry{Name: "other", Size: bundle.Unknown, Open: spooled.Open})
	ps := problems(t, bundle.Options{Dir: dir, Scanners: []bundle.Scanner{twice}})
	if got, want := ps.Error(), "temporary file in "+tmp+"/missing: no such file or directory (TMPDIR names the directory for temporary files)"; got != want {
		t.Errorf("problem: %s", got)
	}
	if runtime.GOOS != "linux" {
		return
	}
	n := 0
	open, err := os.ReadDir("/proc/self/fd")
	check(t, err)
	for _, d := range open {
		if to, err := os.Readlink("/proc/self/fd/" + d.Name()); err == nil && strings.HasSuffix(to, ".tmp (deleted)") && strings.HasPrefix(to, tmp) {
			// The one of build is closed at the end of the test.
			if n++; n > 1 {
				t.Errorf("still open: %s", to)
			}
		}
	}
}

func TestProblemText(t *testing.T) {
	t.Parallel()
	bad := errors.New("bad")
	for _, tt := range []struct {
		err  error
		want string
	}{
		{bundle.Problem{Err: bad}, "bad"},
		{bundle.Problem{Path: "a\nb", Err: bad, Hint: "mend it"}, `a\nb: bad (mend it)`},
		{bundle.Problems{{Path: "a", Err: bad}}, "a: bad"},
		{bundle.Problems{{Path: "a", Err: bad}, {Err: bad}}, "2 problems:\n  - a: bad\n  - bad"},
	} {
		equal(t, "error", tt.err.Error(), tt.want)
		if !errors.Is(tt.err, bad) {
			t.Errorf("%v does not unwrap", tt.err)
		}
	}
	equal(t, "warning", bundle.Warning{Path: "\x1b", Text: "text"}.String(), `\x1b: text`)
}
