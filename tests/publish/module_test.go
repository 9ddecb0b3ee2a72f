package publish_test

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"

	"github.com/spirostack/spirodeploy/tests/program"
)

const (
	path    = "github.com/spirostack/spirodeploy"
	version = "v0.0.1-test.1"
)

func TestMain(m *testing.M) { program.Main(m) }

// root is the directory of the module that is published.
var root = sync.OnceValues(func() (string, error) { return filepath.Abs(filepath.Join("..", "..")) })

// published is the module on a proxy of files: all files of the repository, as
// they are now, packed as the Go command packs a version.
var published = sync.OnceValues(func() (proxy string, err error) {
	top, err := root()
	if err != nil {
		return "", err
	}
	list, err := exec.Command("git", "-C", top, "ls-files", "-z").Output()
	if err != nil {
		return "", fmt.Errorf("git ls-files: %w", err)
	}
	var files []zip.File
	for name := range strings.SplitSeq(strings.TrimSuffix(string(list), "\x00"), "\x00") {
		if _, err := os.Lstat(filepath.Join(top, name)); err == nil { // unless it was deleted
			files = append(files, file{top, name})
		}
	}
	proxy = filepath.Join(program.Dir(), "proxy")
	dir := filepath.Join(proxy, filepath.FromSlash(path), "@v")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	goMod, err := os.ReadFile(filepath.Join(top, "go.mod"))
	if err != nil {
		return "", err
	}
	for name, content := range map[string]string{
		"list":            version + "\n",
		version + ".info": `{"Version": "` + version + `", "Time": "2026-01-01T00:00:00Z"}`,
		version + ".mod":  string(goMod),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			return "", err
		}
	}
	out, err := os.Create(filepath.Join(dir, version+".zip"))
	if err != nil {
		return "", err
	}
	defer out.Close()
	return proxy, zip.Create(out, module.Version{Path: path, Version: version}, files)
})

// file is a file in a directory, for package zip.
type file struct{ dir, name string }

func (f file) Path() string                 { return f.name }
func (f file) Lstat() (fs.FileInfo, error)  { return os.Lstat(filepath.Join(f.dir, f.name)) }
func (f file) Open() (io.ReadCloser, error) { return os.Open(filepath.Join(f.dir, f.name)) }

// zipFile returns the module in the form that is downloaded.
func zipFile(t *testing.T) string {
	t.Helper()
	proxy, err := published()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(proxy, filepath.FromSlash(path), "@v", version+".zip")
}

// fetched is the developer's module cache, with everything that the module needs. With
// it, nothing has to be downloaded again.
var fetched = sync.OnceValues(func() (string, error) {
	top, err := root()
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "list", "-deps", "./spirodeploy/...", "github.com/magefile/mage")
	cmd.Dir = top
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go list: %w\n%s", err, out)
	}
	out, err := exec.Command("go", "env", "GOMODCACHE").Output()
	return strings.TrimSpace(string(out)), err
})

// goCommand runs the Go command as somebody who has only the proxy.
func goCommand(t *testing.T, dir string, args ...string) string {
	t.Helper()
	proxy, err := published()
	if err != nil {
		t.Fatal(err)
	}
	cache, err := fetched()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(),
		"GOPROXY="+url(proxy)+","+url(filepath.Join(cache, "cache", "download")), "GOSUMDB=off", "GOPRIVATE=", "GONOPROXY=",
		"GOMODCACHE="+filepath.Join(program.Dir(), "mod"), "GOBIN="+filepath.Join(program.Dir(), "bin"), "GOTOOLCHAIN=local", "GOWORK=off",
		// With these flags the directory can be removed, and the next run need not
		// compile packages again.
		"GOFLAGS=-modcacherw -trimpath",
	)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func url(dir string) string { return "file://" + filepath.ToSlash(dir) }

// TestInstall installs the command as the README says.
func TestInstall(t *testing.T) {
	t.Parallel()
	goCommand(t, program.Dir(), "install", path+"/spirodeploy/cmd/spiro-deploy@"+version)
	command := filepath.Join(program.Dir(), "bin", "spiro-deploy")
	said, err := exec.CommandContext(t.Context(), command, "--version").Output()
	if err != nil {
		t.Fatal(err)
	}
	sum, err := dirhash.HashZip(zipFile(t), dirhash.Hash1)
	if err != nil {
		t.Fatal(err)
	}
	if want := "spiro-deploy " + version + "\nmodule:   " + sum + "\n"; !strings.HasPrefix(string(said), want) {
		t.Errorf("--version says\n%swant\n%s", said, want)
	}
	said, err = exec.CommandContext(t.Context(), command, "--help").Output()
	if err != nil || !strings.Contains(string(said), "Exit status:") {
		t.Errorf("--help: %v\n%s", err, said)
	}
}

const magefile = `//go:build mage

package main

import (
	//mage:import spiro
	_ "github.com/spirostack/spirodeploy/spirodeploy/targets"
)
`

// TestMage adds the targets to another module, as the README says.
func TestMage(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(program.Dir(), "consumer")
	if err := os.MkdirAll(filepath.Join(dir, "magefiles"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "magefiles", "magefile.go"), []byte(magefile), 0o644); err != nil {
		t.Fatal(err)
	}
	goCommand(t, dir, "mod", "init", "example.org/consumer")
	goCommand(t, dir, "get", path+"/spirodeploy@"+version)
	goCommand(t, dir, "get", "-tool", "github.com/magefile/mage")
	said := goCommand(t, dir, "tool", "mage", "-l")
	for _, target := range []string{"spiro:bundle", "spiro:check", "spiro:deploy", "spiro:diff", "spiro:token"} {
		if !strings.Contains(said, target+" ") {
			t.Errorf("there is no target %s in\n%s", target, said)
		}
	}
}

// TestGoMod: go.mod has nothing that go install refuses.
func TestGoMod(t *testing.T) {
	t.Parallel()
	top, err := root()
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(top, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	mod, err := modfile.Parse("go.mod", content, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(mod.Replace) > 0 || len(mod.Exclude) > 0 || mod.Module.Mod.Path != path {
		t.Errorf("%s has %d replace and %d exclude: go install refuses both", mod.Module.Mod.Path, len(mod.Replace), len(mod.Exclude))
	}
}

// large are the files of more than largeSize in the module, which everybody downloads,
// each with its reason.
var large = []string{}

const largeSize = 1 << 20

func TestSize(t *testing.T) {
	t.Parallel()
	name := zipFile(t)
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := zip.Unzip(dir, module.Version{Path: path, Version: version}, name); err != nil {
		t.Fatal(err)
	}
	files, bytes := 0, int64(0)
	err = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		files, bytes = files+1, bytes+info.Size()
		if rel = filepath.ToSlash(rel); info.Size() > largeSize && !slices.Contains(large, rel) {
			t.Errorf("%s has %d bytes, and everybody who gets the module downloads them", rel, info.Size())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the module is %d bytes in a zip, %d in %d files", info.Size(), bytes, files)
}
