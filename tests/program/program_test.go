package program_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/spirostack/spirodeploy/tests/program"
)

func TestMain(m *testing.M) { program.Main(m) }

// TestBuild: programs of one name are different programs, and each is built once.
func TestBuild(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"go.mod":        "module example.org/programs\n\ngo 1.26\n",
		"a/say/main.go": "package main\n\nfunc main() { print(\"a\") }\n", "b/say/main.go": "package main\n\nfunc main() { print(\"b\") }\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"a", "b", "a"} {
		pkg := "./" + name + "/say"
		out, err := exec.CommandContext(t.Context(), program.Build(t, dir, pkg)).CombinedOutput()
		if err != nil || string(out) != name {
			t.Errorf("%s says %q, %v", pkg, out, err)
		}
	}
	if first, second := program.Build(t, dir, "./a/say"), program.Build(t, dir, "./a/say"); first != second {
		t.Errorf("it is built as %s and as %s", first, second)
	}
}

// TestMeasure: the memory of a command that was killed before it ended is not known.
func TestMeasure(t *testing.T) {
	t.Parallel()
	if _, _, peak := program.Measure(t); peak() != 0 {
		t.Error("the memory of no command is known")
	}
}
