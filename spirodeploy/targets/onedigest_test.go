package targets_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
)

// TestOneDigestEverywhere: library, command, mage target and the executable of
// the Dagger module make one bundle of one tree.
func TestOneDigestEverywhere(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("compiling the Dagger module takes long")
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	tree := filepath.Join(dir, "project")
	for name, content := range map[string]string{
		"_salt/web.sls": "hello: {}\n", "_salt/größe/" + strings.Repeat("long", 40): "x", "build/a": "artifact\n", "main.go": "package main\n",
	} {
		write(t, filepath.Join(tree, filepath.FromSlash(name)), content)
	}
	b, err := bundle.New(t.Context(), bundle.Options{Dir: tree, Artifacts: []bundle.Artifact{{Path: "build"}}, Source: bundle.Filesystem})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	want, err := b.Digest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	run := func(env []string, args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
		cmd.Dir, cmd.Env = root, append(os.Environ(), env...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", args, err, out)
		}
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	run(nil, "go", "run", "./spirodeploy/cmd/spiro-deploy", "--dir", tree, "--artifact", "build", "--include-source", "fs", "--output", at("command.tar"))
	run(nil, magefile(t), "spiro:bundle", "-dir="+tree, "-artifact=build", "-source=fs", "-output="+at("mage.tar"))
	run([]string{"CGO_ENABLED=0"}, "go", "build", "-o", at("module"), ".")
	step, err := json.Marshal(map[string]any{"do": "bundle", "artifacts": []string{"build"}, "source": "fs", "root": dir})
	if err != nil {
		t.Fatal(err)
	}
	run([]string{"SPIRODEPLOY_STEP=" + string(step), "DAGGER_SESSION_PORT=0", "DAGGER_SESSION_TOKEN=none"}, at("module"))
	for _, name := range []string{"command.tar", "mage.tar", "output.tar"} {
		f, err := os.Open(at(name))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := digest.FromReader(f); err != nil || got != want {
			t.Errorf("%s is %s, want %s (%v)", name, got, want, err)
		}
		_ = f.Close()
	}
}
