package docs_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestPrograms: every Go file that the documents show whole compiles, in a
// repository that requires this one.
func TestPrograms(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "shop")
	makeProject(t, dir)
	files := 0
	for _, b := range blocks(t) {
		if b.language != "go" || !strings.Contains(b.text, "package main\n") {
			continue
		}
		files++
		file := filepath.Join(t.TempDir(), "main.go")
		writeFile(t, file, b.text)
		cmd := exec.CommandContext(t.Context(), "go", "vet", "-tags=mage", file)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", b.name(), err, out)
		}
	}
	if files < 4 {
		t.Errorf("%d whole files, and README.md, mage.md and spirotest.md show 4", files)
	}
}

// TestServer: the program in docs/spirotest.md serves as the document says, and the
// project that "spiro-deploy init" writes deploys to it without a warning.
func TestServer(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("no process can send another one Ctrl-C here, and the line is for a Unix shell")
	}
	bin := programs(t)
	dir := filepath.Join(t.TempDir(), "shop")
	makeProject(t, dir)
	source := filepath.Join(t.TempDir(), "main.go")
	for _, b := range blocks(t) {
		if b.file == "docs/spirotest.md" && strings.HasPrefix(b.text, "package main\n") {
			writeFile(t, source, b.text)
		}
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(bin, "server"), source)
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	server := exec.CommandContext(t.Context(), filepath.Join(bin, "server"))
	stdout, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	deploy := exec.CommandContext(t.Context(), "bash", "-c", line+"spiro-deploy init && spiro-deploy --insecure --strict shop prod")
	deploy.Dir, deploy.Env = t.TempDir(), append(os.Environ(), "PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	out, err := deploy.CombinedOutput()
	if err != nil || strings.Contains(string(out), "warning") || !strings.Contains(string(out), "Success: shop/prod deployed: 3 minions") {
		t.Errorf("%v\n%s", err, out)
	}
	if err := server.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := server.Wait(); err != nil {
		t.Errorf("Ctrl-C does not end it well: %v", err)
	}
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
