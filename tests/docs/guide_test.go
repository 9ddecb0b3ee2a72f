package docs_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
	"github.com/spirostack/spirodeploy/tests/docs/example"
	"github.com/spirostack/spirodeploy/tests/registry/store"
)

// TestGuides follows each guide, from its first step to its last, in one shell: it writes
// the files that the guide shows, types the commands, and expects the output that the
// guide shows. In that output, … stands for any text in a line, or for any lines if it is
// a line of its own.
func TestGuides(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("SSL_CERT_FILE, which makes the server one to trust, is for Linux")
	}
	bin := programs(t)
	pages := map[string][]step{}
	for _, b := range blocks(t) {
		if path.Dir(b.file) != "docs/guides" {
			continue
		}
		switch {
		case b.language == "console":
			pages[b.file] = append(pages[b.file], b.commands(t)...)
		case filepath.IsLocal(b.target):
			pages[b.file] = append(pages[b.file], b.writing())
		}
	}
	for file := range pages {
		t.Run(path.Base(file), func(t *testing.T) {
			t.Parallel()
			before := pages["docs/guides/first-project.md"]
			if !strings.Contains(read(t, filepath.Join(example.Root, file)), "goes on with [your first project](first-project.md)") {
				before = nil
			}
			follow(t, bin, before, pages[file])
		})
	}
}

// step is a command that the reader types, and what the guide shows of its output.
type step struct {
	command, output string
}

// commands returns the steps of a block: a command begins with "$ ", and goes on in
// lines that begin with "> ".
func (b block) commands(t *testing.T) []step {
	t.Helper()
	var steps []step
	for line := range strings.Lines(b.text) {
		last := len(steps) - 1
		switch command, isCommand := strings.CutPrefix(line, "$ "); {
		case isCommand:
			steps = append(steps, step{command: command})
		case last < 0:
			t.Fatalf("%s: a console block begins with a command", b.name())
		case strings.HasPrefix(line, "> ") && steps[last].output == "":
			steps[last].command += strings.TrimPrefix(line, "> ")
		default:
			steps[last].output += line
		}
	}
	return steps
}

// writing returns the step that writes the file which the block shows.
func (b block) writing() step {
	return step{command: fmt.Sprintf("mkdir -p %q && cat >%q <<'END OF FILE'\n%sEND OF FILE\n", path.Dir(b.target), b.target, b.text)}
}

// matches reports whether the output is the one that the guide shows.
func (s step) matches(output string) bool {
	pattern := regexp.QuoteMeta(strings.TrimSuffix(s.output, "\n"))
	pattern = regexp.MustCompile(`(?m)^…$\n?`).ReplaceAllString(pattern, `(?:.*(?:\n|$$))*`)
	pattern = strings.ReplaceAll(pattern, "…", ".*")
	return regexp.MustCompile(`^` + pattern + `\n?$`).MatchString(output)
}

// clock matches the time that begins a line if standard error is not a terminal.
var clock = regexp.MustCompile(`(?m)^\d\d:\d\d:\d\d `)

// registryHost stands for a registry on this machine.
const registryHost = "registry.example.com"

const mark = "=== the end, with status "

// follow does the steps in a directory. Like the reader, it has a server with minions,
// its token, and its certificate in spirofs.crt. It first does the steps of the guide
// before, which has a test of its own.
func follow(t *testing.T, bin string, before, steps []step) {
	t.Helper()
	dir := t.TempDir()
	home := filepath.Join(dir, "home")
	if err := os.Mkdir(home, 0o755); err != nil {
		t.Fatal(err)
	}
	server, err := example.Start(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	server.SetMinions(readers(server)...)
	if err := os.WriteFile(filepath.Join(home, "spirofs.crt"), []byte(read(t, filepath.Join(dir, "salt.pem"))), 0o644); err != nil {
		t.Fatal(err)
	}
	registry := strings.TrimPrefix(store.Start(t, store.Options{Username: "reader", Password: "secret"}).URL, "http://")
	tools := filepath.Join(dir, "tools")
	// "docker login" does this with the user name and the password.
	login := fmt.Sprintf("#!/bin/sh\nmkdir -p ~/.docker && echo '{\"auths\":{%q:{\"auth\":\"cmVhZGVyOnNlY3JldA==\"}}}' > ~/.docker/config.json && echo Login Succeeded\n", registry)
	if err := errors.Join(os.Mkdir(tools, 0o755), os.WriteFile(filepath.Join(tools, "docker"), []byte(login), 0o755)); err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	for _, s := range slices.Concat(before, steps) {
		fmt.Fprintf(&script, "%s\ns=$?; echo '%s'$s; (exit $s)\n", strings.TrimSuffix(strings.NewReplacer("SPIRO_TOKEN=…", "SPIRO_TOKEN="+server.Token(time.Hour, "shop"), registryHost, registry).Replace(s.command), "\n"), mark)
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-c", script.String())
	cmd.Dir = home
	cmd.Env = append(os.Environ(), "HOME="+home, "DOCKER_CONFIG=", "PATH="+tools+string(filepath.ListSeparator)+bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	for _, variable := range server.Environ() {
		// Readers set these two themselves, and trust nobody yet.
		if !strings.HasPrefix(variable, "SPIRO_") && !strings.HasPrefix(variable, "SSL_CERT_FILE=") {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	out, _ := cmd.CombinedOutput() // the status is that of the last step
	rest := string(out)
	for range before {
		_, rest, _ = strings.Cut(rest, mark)
	}
	if len(before) > 0 {
		_, rest, _ = strings.Cut(rest, "\n")
	}
	for i, s := range steps {
		output, after, found := strings.Cut(rest, mark)
		output = strings.ReplaceAll(clock.ReplaceAllString(output, ""), registry, registryHost)
		if !found {
			t.Fatalf("the guide ends before %s\n%s", s.command, out)
		}
		status, remaining, _ := strings.Cut(after, "\n")
		rest = remaining
		shown := i+1 < len(steps) && strings.HasPrefix(steps[i+1].command, "echo $?")
		if status != "0" && !shown {
			t.Errorf("%sends with status %s:\n%s", s.command, status, output)
		}
		if !s.matches(output) {
			t.Errorf("%s\nsays\n%s\nand the guide shows\n%s", s.command, output, s.output)
		}
	}
}

// minion returns what a real minion returned for the states of the guides.
type minion struct {
	server *example.Server
	has    map[string]string // the files that it has
}

// readers returns the minions of somebody who follows a guide.
func readers(server *example.Server) []spirotest.Minion {
	var minions []spirotest.Minion
	for _, id := range []string{"db1", "web1", "web2"} {
		minions = append(minions, spirotest.Minion{ID: id, Result: &minion{server: server, has: map[string]string{}}})
	}
	return minions
}

// MarshalJSON returns the result of the deployment that the server has: web.sls
// manages two files, and hello.sls nothing.
func (m *minion) MarshalJSON() ([]byte, error) {
	d, _ := m.server.Deployment("shop", "prod")
	if _, err := fs.Stat(d.FS(), "web.sls"); err != nil {
		return json.Marshal(spirotest.States(spirotest.State{
			SLS: "hello", ID: "hello from the first deployment", Function: "test.succeed_without_changes", Comment: "Success!", Duration: 700 * time.Microsecond,
		}))
	}
	sources, err := fs.Glob(d.FS(), "_artifacts/*/shop")
	if err != nil {
		return nil, err
	}
	files := []struct{ name, source, mode string }{{"/opt/shop/shop", strings.Join(sources, ""), "0755"}, {"/opt/shop/shop.conf", "shop.conf", "0644"}}
	var states []spirotest.State
	for _, file := range files {
		state := spirotest.State{SLS: "web", ID: file.name, Function: "file.managed", Duration: 120 * time.Millisecond}
		content, err := fs.ReadFile(d.FS(), file.source)
		switch before, there := m.has[file.name]; {
		case err != nil:
			state.Result, state.Comment = spirotest.Failed, "Unable to manage file: Source file salt://_artifacts/build/shop not found in saltenv 'shop/prod'"
		case !there:
			state.Changes = map[string]any{"diff": "New file", "mode": file.mode}
		case before != string(content):
			state.Changes = map[string]any{"diff": fmt.Sprintf("--- \n+++ \n@@ -1,2 +1,2 @@\n #!/bin/sh\n-%s+%s", lastLine(before), lastLine(string(content)))}
		}
		if state.Changes != nil {
			state.Comment = "File " + file.name + " updated"
		} else if state.Result != spirotest.Failed {
			state.Comment = "File " + file.name + " is in the correct state"
		}
		if err == nil {
			m.has[file.name] = string(content)
		}
		states = append(states, state)
	}
	return json.Marshal(spirotest.States(states...))
}

func lastLine(text string) string {
	lines := strings.SplitAfter(text, "\n")
	return lines[len(lines)-2]
}

// TestCIGuides: the jobs that the guides show are those of the examples, which
// tests/examples runs.
func TestCIGuides(t *testing.T) {
	t.Parallel()
	for guide, jobs := range map[string][]string{
		"docs/guides/ci.md":      {"github.yml", "gitlab-ci.yml"},
		"docs/guides/promote.md": {"github-promote.yml", "gitlab-ci-promote.yml", "github-promote-dagger.yml"},
	} {
		var shown []string
		for _, b := range blocks(t) {
			if b.file == guide && b.language == "yaml" && b.target == "" {
				shown = append(shown, b.text)
			}
		}
		if len(shown) != len(jobs) {
			t.Fatalf("%s shows %d jobs, and there are %d", guide, len(shown), len(jobs))
		}
		for i, job := range jobs {
			if !strings.HasSuffix(read(t, filepath.Join(example.Root, "examples", "ci", job)), "\n"+shown[i]) {
				t.Errorf("%s shows another job than examples/ci/%s, after the comment at its top", guide, job)
			}
		}
	}
}
