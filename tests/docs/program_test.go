package docs_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/tests/docs/example"
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
	if files < 5 {
		t.Errorf("%d whole files, and README.md, library.md, mage.md and spirotest.md show 5", files)
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
	server := exec.CommandContext(t.Context(), buildProgram(t, dir, "docs/spirotest.md"))
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

// TestLibrary: the program in docs/library.md deploys, and its status and words are those of
// what happened.
func TestLibrary(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("SSL_CERT_FILE, which makes the server one to trust, is for Linux")
	}
	dir := filepath.Join(t.TempDir(), "shop")
	makeProject(t, dir)
	path := buildProgram(t, dir, "docs/library.md")
	for name, test := range map[string]struct {
		fail    bool
		token   string // another one than the server's
		status  int
		says    []string
		deploys bool
	}{
		"well":     {status: 0, says: []string{`"db1" succeeded: 4 of 11 states changed something`, "highstate Highstate complete"}, deploys: true},
		"failed":   {fail: true, status: 1, says: []string{`"web2" failed: `, "error: shop/prod: 1 of 3 minions failed (web2)"}, deploys: true},
		"no token": {token: " ", status: 2, says: []string{"error: SPIRO_TOKEN: no token"}},
		"refused":  {token: "another-one", status: 3, says: []string{"error: shop/prod: refused: check token: the server answered 401"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, err := example.Start(t.TempDir(), test.fail)
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			cmd := exec.CommandContext(t.Context(), path)
			cmd.Dir, cmd.Env = dir, append(os.Environ(), server.Environ()...)
			if test.token != "" {
				cmd.Env = append(cmd.Env, "SPIRO_TOKEN="+test.token)
			}
			out, err := cmd.CombinedOutput()
			if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != test.status {
				t.Fatalf("%v, want status %d\n%s", err, test.status, out)
			}
			for _, want := range test.says {
				if !strings.Contains(string(out), want) {
					t.Errorf("it does not say %q:\n%s", want, out)
				}
			}
			if _, deployed := server.Deployment("shop", "prod"); deployed != test.deploys {
				t.Errorf("deployed: %t", deployed)
			}
		})
	}
}

// buildProgram builds the program that a document shows, in a repository that requires this
// one, and returns its path.
func buildProgram(t *testing.T, repository, document string) string {
	t.Helper()
	dir := t.TempDir()
	source, path := filepath.Join(dir, "main.go"), filepath.Join(dir, "program")
	for _, b := range blocks(t) {
		if b.file == document && strings.HasPrefix(b.text, "package main\n") {
			writeFile(t, source, b.text)
		}
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", path, source)
	build.Dir = repository
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
