package cli_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/internal/cli"
)

// TestGitGetsNoToken: git is given no variable that holds a token, be it that of
// SPIRO_TOKEN, one that a list of targets names, or any other that can be read.
func TestGitGetsNoToken(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the git of this test is a shell script")
	}
	dir, bin := t.TempDir(), t.TempDir()
	seen := filepath.Join(bin, "seen")
	script := "#!/bin/sh\nenv >>" + seen + "\nexit 1\n"
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Mkdir(filepath.Join(dir, "_salt"), 0o755))
	must(os.WriteFile(filepath.Join(dir, "_salt", "a.sls"), []byte("a: {}\n"), 0o644))
	must(os.WriteFile(filepath.Join(bin, "git"), []byte(script), 0o755))
	list := filepath.Join(dir, "targets.yaml")
	must(os.WriteFile(list, []byte("- {name: one, server: 'http://127.0.0.1:1', token-variable: ONE}\n"), 0o644))
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv("SPIRO_TOKEN", "opaque-secret-1")
	t.Setenv("COPY", " opaque-secret-1\n")
	t.Setenv("QUOTED", `"opaque-secret-1"`)
	t.Setenv("ONE", "opaque-secret-2")
	t.Setenv("OTHER", "harmless")
	var out bytes.Buffer
	w := cli.World{Stdout: &out, Stderr: &out, Getenv: os.Getenv}
	_ = w.Run(t.Context(), cli.Settings{Project: "p", Deployment: "d", Dir: dir, Targets: list, Insecure: true}) // nobody answers
	text, err := os.ReadFile(seen)
	if err != nil || !strings.Contains(string(text), "OTHER=harmless") || strings.Contains(string(text), "opaque-secret") {
		t.Errorf("%v: git is given\n%s\nand the run says\n%s", err, text, &out)
	}
	if _, err := exec.LookPath("git"); err != nil {
		t.Error(err)
	}
}
