package release_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"debug/macho"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/internal/dev/release"
)

// git runs git with no configuration but its own.
func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull)
	for _, who := range []string{"AUTHOR", "COMMITTER"} {
		cmd.Env = append(cmd.Env, "GIT_"+who+"_NAME=Test", "GIT_"+who+"_EMAIL=test@example.org", "GIT_"+who+"_DATE=2026-01-01T00:00:00Z")
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

// clone clones this repository.
func clone(t *testing.T, to string) {
	t.Helper()
	root := filepath.Join("..", "..", "..")
	if _, err := os.Stat(filepath.Join(root, ".git")); err != nil {
		t.Skip("this is no clone, and a release is made of one")
	}
	root, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	git(t, "", "clone", "--quiet", "--no-tags", root, to)
}

// here is the platform that this runs on.
var here = release.Platform{OS: runtime.GOOS, Arch: runtime.GOARCH}

func read(t *testing.T, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// TestSameBytes makes a release twice, from clones in directories of different
// names and with other tags, and looks at what is in it.
func TestSameBytes(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it builds the command")
	}
	top := t.TempDir()
	platforms := []release.Platform{here, mac, {OS: "windows", Arch: "amd64"}}
	slices.SortFunc(platforms, func(a, b release.Platform) int { return strings.Compare(a.OS, b.OS) })
	platforms = slices.Compact(platforms) // here may be one of them
	var dirs []string
	for i, name := range []string{"a", "another directory"} {
		dir := filepath.Join(top, name)
		clone(t, dir)
		if i == 1 {
			git(t, dir, "tag", "v9.9.9")
		}
		err := release.Run(t.Context(), release.Options{Dir: dir, Version: "v0.1.0-test.1", Output: filepath.Join(top, "out", name), Platforms: platforms})
		if err != nil {
			t.Fatal(err)
		}
		dirs = append(dirs, filepath.Join(top, "out", name))
	}
	first, second := names(t, dirs[0]), names(t, dirs[1])
	if !slices.Equal(first, second) || len(first) != len(platforms)+1 {
		t.Fatalf("there are %v and %v", first, second)
	}
	for _, name := range first {
		if !bytes.Equal(read(t, filepath.Join(dirs[0], name)), read(t, filepath.Join(dirs[1], name))) {
			t.Errorf("%s is not the same twice", name)
		}
	}
	if left := names(t, filepath.Join(top, "out")); len(left) != 2 {
		t.Errorf("there is %v beside what was asked for", left)
	}
	checkSums(t, dirs[0])
	checkUUID(t, filepath.Join(dirs[0], "spiro-deploy_v0.1.0-test.1_darwin_arm64.tar.gz"))
	if here.OS != "windows" {
		checkCommand(t, dirs[0])
	}
}

// mac is a platform whose programs need an identity of their own.
var mac = release.Platform{OS: "darwin", Arch: "arm64"}

// checkUUID looks for what macOS 26 does not start a program without: the load
// command LC_UUID (mach-o/loader.h), which Go's linker makes of the build id.
func checkUUID(t *testing.T, archive string) {
	t.Helper()
	const uuid = 0x1b
	for name, content := range untar(t, read(t, archive)) {
		if filepath.Base(name) != "spiro-deploy" {
			continue
		}
		program, err := macho.NewFile(bytes.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		for _, load := range program.Loads {
			if program.ByteOrder.Uint32(load.Raw()) == uuid {
				return
			}
		}
	}
	t.Errorf("the program in %s has no UUID", filepath.Base(archive))
}

// checkSums holds a list of digests against all that it is about.
func checkSums(t *testing.T, dir string) {
	t.Helper()
	var want []string
	for _, name := range names(t, dir) {
		content := read(t, filepath.Join(dir, name))
		var files map[string][]byte
		switch {
		case strings.HasSuffix(name, ".tar.gz"):
			files = untar(t, content)
		case strings.HasSuffix(name, ".zip"):
			files = unzip(t, content)
		default:
			continue
		}
		stem := strings.TrimSuffix(strings.TrimSuffix(name, ".zip"), ".tar.gz")
		executable := stem + "/spiro-deploy"
		if strings.Contains(stem, "windows") {
			executable += ".exe"
		}
		if len(files) != 3 || files[stem+"/LICENSE"] == nil || files[stem+"/README.md"] == nil || files[executable] == nil {
			t.Errorf("in %s are %d files, and not licence, README and command", name, len(files))
		}
		want = append(want, fmt.Sprintf("%x  %s\n", sha256.Sum256(content), name), fmt.Sprintf("%x  %s\n", sha256.Sum256(files[executable]), executable))
	}
	got := slices.Collect(strings.Lines(string(read(t, filepath.Join(dir, "SHA256SUMS")))))
	slices.Sort(want)
	if !slices.Equal(slices.Sorted(slices.Values(got)), want) {
		t.Errorf("SHA256SUMS has\n%s\nwant\n%s", strings.Join(got, ""), strings.Join(want, ""))
	}
}

func untar(t *testing.T, content []byte) map[string][]byte {
	t.Helper()
	gz, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	if !gz.ModTime.IsZero() || gz.Name != "" {
		t.Errorf("the gzip header names %q, %v", gz.Name, gz.ModTime)
	}
	files := map[string][]byte{}
	for tr := tar.NewReader(gz); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if program := strings.HasSuffix(h.Name, "/spiro-deploy"); program != (h.Mode == 0o755) || h.Uid != 0 || h.Uname != "" {
			t.Errorf("%s has mode %o and is %d's (%q)", h.Name, h.Mode, h.Uid, h.Uname)
		}
		if files[h.Name], err = io.ReadAll(tr); err != nil {
			t.Fatal(err)
		}
	}
}

func unzip(t *testing.T, content []byte) map[string][]byte {
	t.Helper()
	zr, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, f := range zr.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if files[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// checkCommand runs what was built for this platform.
func checkCommand(t *testing.T, dir string) {
	t.Helper()
	stem := "spiro-deploy_v0.1.0-test.1_" + here.OS + "_" + here.Arch
	content := untar(t, read(t, filepath.Join(dir, stem+".tar.gz")))[stem+"/spiro-deploy"]
	program := filepath.Join(t.TempDir(), "spiro-deploy")
	if err := os.WriteFile(program, content, 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), program, "--version").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"spiro-deploy v0.1.0-test.1\n", "commit:   ", fmt.Sprintf("digest:   sha256:%x\n", sha256.Sum256(content))} {
		if !strings.Contains(string(out), want) {
			t.Errorf("--version says\n%swithout %q", out, want)
		}
	}
	if strings.Contains(string(content), filepath.Dir(dir)) {
		t.Errorf("the path of the build is in the executable")
	}
}

// TestRefused has all that is found before anything is built.
func TestRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		version string
		change  func(t *testing.T, dir string)
		want    string
	}{
		"no version":    {"", nil, "say -version=v0.1.0"},
		"no v":          {"0.1.0", nil, `"0.1.0" is not a version`},
		"too short":     {"v1.2", nil, `"v1.2" is not a version`},
		"build":         {"v1.2.3+4", nil, "is not a version"},
		"flag injected": {"v1.2.3 -X main.x=y", nil, "is not a version"},
		"pseudo":        {"v0.0.0-20260102030405-0123456789ab", nil, "the Go command's own name"},
		"major":         {"v2.0.0", nil, "ends in /v2"},
		"changed":       {"v0.1.0", func(t *testing.T, dir string) { write(t, dir, "README.md", "other") }, "is not what is committed (M README.md)"},
		"untracked":     {"v0.1.0", func(t *testing.T, dir string) { write(t, dir, "extra.go", "package x") }, "(?? extra.go): commit, stash or remove"},
		"output there": {"v0.1.0", func(t *testing.T, dir string) {
			if err := os.Mkdir(filepath.Join(dir, "dist"), 0o755); err != nil {
				t.Fatal(err)
			}
		}, "is there already: remove it"},
		"tag elsewhere": {"v0.1.0", func(t *testing.T, dir string) {
			git(t, dir, "tag", "v0.1.0")
			git(t, dir, "commit", "--quiet", "--allow-empty", "-m", "more")
		}, "the tag v0.1.0 is not at the commit"},
		"no repository": {"v0.1.0", func(t *testing.T, dir string) {
			if err := os.RemoveAll(filepath.Join(dir, ".git")); err != nil {
				t.Fatal(err)
			}
		}, "a release is made in a clone"},
		"does not build": {"v0.1.0", func(t *testing.T, dir string) {
			git(t, dir, "tag", "-m", "with a message", "v0.1.0") // which is at this commit
		}, "build for "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			git(t, dir, "init", "--quiet")
			write(t, dir, "README.md", "one")
			write(t, dir, "go.mod", "module example.org/x\n")
			git(t, dir, "add", ".")
			git(t, dir, "commit", "--quiet", "-m", "one")
			if tt.change != nil {
				tt.change(t, dir)
			}
			before := names(t, dir)
			err := release.Run(t.Context(), release.Options{Dir: dir, Version: tt.version, Platforms: []release.Platform{here}})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if after := names(t, dir); !slices.Equal(before, after) {
				t.Errorf("it leaves %v, where %v was", after, before)
			}
		})
	}
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
