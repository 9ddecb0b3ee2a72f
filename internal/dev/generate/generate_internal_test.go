package generate

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/internal/module"
)

func TestCompare(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ got, want, diff string }{
		{"a\nb\n", "a\nb\n", ""},
		{"", "a", "is missing"},
		{"a\nb\n", "a\nc\n", "line 2 is\n\tb\nand should be\n\tc"},
		{"a", "a\nb", "has 1 lines and should have 2"},
	} {
		if diff := compare(test.got, test.want); diff != test.diff {
			t.Errorf("compare(%q, %q) = %q, want %q", test.got, test.want, diff, test.diff)
		}
	}
}

func TestCopyTree(t *testing.T) {
	t.Parallel()
	from, to := t.TempDir(), t.TempDir()
	for name, content := range map[string]string{
		".gitignore": "ignored\n", "ignored": "", "added": "1", "new/file": "2", "removed": "", "left/out": "",
	} {
		file := filepath.Join(from, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("nowhere", filepath.Join(from, "link")); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "added", "removed"}} {
		cmd := exec.Command("git", args...)
		cmd.Dir = from
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, said)
		}
	}
	if err := os.Remove(filepath.Join(from, "removed")); err != nil {
		t.Fatal(err)
	}
	if err := copyTree(t.Context(), from, to, func(name string) bool { return name == "left/out" }); err != nil {
		t.Fatal(err)
	}
	var found []string
	err := filepath.WalkDir(to, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			name, _ := filepath.Rel(to, path)
			found = append(found, name)
		}
		return err
	})
	if got, want := strings.Join(found, " "), ".gitignore added new/file"; err != nil || got != want {
		t.Errorf("copied %s, %v; want %s", got, err, want)
	}
}

// TestUpload: what an engine gets is the module and no more, and it compiles.
func TestUpload(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("compiling what an engine is sent takes long")
	}
	const root = "../../.."
	dir := t.TempDir()
	if err := Upload(t.Context(), root, dir); err != nil {
		t.Fatal(err)
	}
	no := regexp.MustCompile(`_test\.go$|\.md$|^\.ci/|^\.golangci|(^|/)testdata/|^(contrib|docs|examples|magefiles|tests)/|^internal/dev/|^spirodeploy/(cmd|spirotest|targets)/`)
	err := filepath.WalkDir(dir, func(file string, d os.DirEntry, err error) error {
		if name, _ := filepath.Rel(dir, file); err == nil && !d.IsDir() && no.MatchString(filepath.ToSlash(name)) {
			t.Errorf("%s is uploaded: editing it builds the module anew", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"dagger.json", "go.mod", "go.sum", "main.go", "internal/dagger/dagger.gen.go", "spirodeploy/report/view/html/page.css"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Errorf("it lacks %s", name)
		}
	}
	// The module, and the command for its function image.
	main := filepath.Join(dir, module.MainFile)
	if err := os.MkdirAll(filepath.Dir(main), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(main, []byte(module.Main), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, pkg := range []string{".", "./spirodeploy/cmd/spiro-deploy"} {
		if _, err := run(t.Context(), dir, "go", "build", "-trimpath", "-o", filepath.Join(t.TempDir(), "made"), pkg); err != nil {
			t.Errorf("build %s of what is uploaded: %v", pkg, err)
		}
	}
}

func TestLeftOut(t *testing.T) {
	t.Parallel()
	left, err := leftOut([]string{"!.ci", "!**/*.md", "!**/testdata", "!internal/dev/demo"})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		".ci/run": true, "README.md": true, "a/b/c.md": true, "a.mdx": false, "testdata": true, "a/testdata/b": true, "a/mytestdata/b": false,
		"internal/dev/demo/demo.go": true, "internal/demonstration/x.go": false, "x/internal/dev/demo/demo.go": false, "main.go": false, "xci/run": false,
	} {
		if left(name) != want {
			t.Errorf("%s is left out: %t", name, !want)
		}
	}
	if _, err := leftOut([]string{"docs"}); err == nil {
		t.Error("a pattern that adds is taken for one that leaves out")
	}
}

// TestOneManifest: an engine of version 1.0 prefers dagger-module.toml to dagger.json,
// and then wants other generated code than that of 0.21.8: calls fail with "unknown
// object".
func TestOneManifest(t *testing.T) {
	t.Parallel()
	const root = "../../.."
	if _, err := os.Lstat(filepath.Join(root, "dagger-module.toml")); err == nil {
		t.Error("dagger-module.toml is there beside dagger.json: remove it (dagger setup makes it, and must not be run here)")
	}
	c, err := readConfig(root)
	if err != nil || c.Name != "spirodeploy" || !strings.HasPrefix(c.EngineVersion, "v0.21.") {
		t.Errorf("dagger.json says %+v, %v", c, err)
	}
}

// TestOneVersion keeps the generator, the SDK and the engine of one version.
func TestOneVersion(t *testing.T) {
	t.Parallel()
	const root = "../../.."
	c, err := readConfig(root)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"go.mod":                        "dagger.io/dagger " + c.EngineVersion,
		codegen + "/go.mod":             "github.com/dagger/dagger " + c.EngineVersion,
		"tests/go.mod":                  "dagger.io/dagger " + c.EngineVersion,
		"internal/dagger/dagger.gen.go": "Code generated by dagger",
	} {
		content, err := os.ReadFile(filepath.Join(root, name))
		if err != nil || !strings.Contains(string(content), want) {
			t.Errorf("%s does not say %q (%v)", name, want, err)
		}
	}
}
