package examples_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/spirostack/spirodeploy/tests/program"
)

// The building blocks of CI services: action.yml for GitHub, and the component
// templates/deploy.yml for GitLab. Their scripts run here as a runner runs them.

// release is the version that the examples name.
const release = "v0.1.0"

// download makes a release for a platform, and returns its place as an input of the
// blocks. The program in it writes its arguments to the file arguments, a line each, and
// then runs the command.
func download(t *testing.T, goos, goarch, arguments string) string {
	t.Helper()
	script := fmt.Sprintf("#!/bin/sh\nprintf '%%s\\n' \"$@\" >> '%s'\nexec '%s' \"$@\"\n", arguments, program.Command(t))
	stem := "spiro-deploy_" + release + "_" + goos + "_" + goarch
	archive, ending := tarOf(t, stem+"/spiro-deploy", script), ".tar.gz"
	if goos == "windows" {
		archive, ending = zipOf(t, stem+"/spiro-deploy.exe", script), ".zip"
	}
	base := t.TempDir()
	sums := fmt.Sprintf("%064d  other%s%s\n%x  %s%s\n", 0, stem, ending, sha256.Sum256(archive), stem, ending)
	for name, content := range map[string][]byte{stem + ending: archive, "SHA256SUMS": []byte(sums)} {
		write(t, filepath.Join(base, release, name), content)
	}
	return "file://" + base
}

func tarOf(t *testing.T, name, content string) []byte {
	t.Helper()
	var buf bytes.Buffer
	gz := gzip.NewWriter(&buf)
	tw := tar.NewWriter(gz)
	err := tw.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content))})
	_, writeErr := io.WriteString(tw, content)
	if err := errors.Join(err, writeErr, tw.Close(), gz.Close()); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func zipOf(t *testing.T, name, content string) []byte {
	t.Helper()
	var buf bytes.Buffer
	zw := zip.NewWriter(&buf)
	w, err := zw.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.WriteString(w, content)
	if err := errors.Join(err, zw.Close()); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func write(t *testing.T, file string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// action is action.yml.
type action struct {
	Name, Description, Author string
	Branding                  map[string]string
	Inputs                    map[string]struct {
		Description, Default string
		Required             bool
	}
	Outputs map[string]struct{ Description, Value string }
	Runs    struct {
		Using string
		Steps []struct {
			Name, ID, Shell, Run string
			Directory            string `yaml:"working-directory"`
			Env                  map[string]string
		}
	}
}

var (
	input      = regexp.MustCompile(`^\$\{\{ inputs\.([a-z]+) \}\}$`)
	stepOutput = regexp.MustCompile(`^\$\{\{ steps\.([a-z]+)\.outputs\.([a-z]+) \}\}$`)
)

// ended is the result of a block.
type ended struct {
	result
	outputs map[string]string
	path    string // what it adds to PATH
}

// runAction runs the steps of action.yml in a directory, as GitHub's runner does.
func runAction(t *testing.T, dir string, with map[string]string, env ...string) ended {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "action.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var a action
	if err := yaml.NewDecoder(bytes.NewReader(content), yaml.Strict()).Decode(&a); err != nil {
		t.Fatal(err)
	}
	for name := range with {
		if _, ok := a.Inputs[name]; !ok {
			t.Errorf("there is no input %s", name)
		}
	}
	value := func(text string) string {
		name := input.FindStringSubmatch(text)
		if name == nil {
			t.Fatalf("%s is not an input", text)
		}
		if v, ok := with[name[1]]; ok {
			return v
		}
		return a.Inputs[name[1]].Default
	}
	temp := t.TempDir()
	outputs, path, steps := map[string]string{}, filepath.Join(temp, "path"), map[string]map[string]string{}
	write(t, path, nil)
	var all ended
	for i, s := range a.Runs.Steps {
		if s.Shell != "bash" || strings.Contains(s.Run, "${{") {
			t.Errorf("step %q runs in %s, or has an expression in its script", s.Name, s.Shell)
		}
		where := dir
		if s.Directory != "" {
			where = filepath.Join(dir, value(s.Directory))
		}
		file := filepath.Join(temp, fmt.Sprint("outputs", i))
		script := filepath.Join(temp, fmt.Sprint("script", i))
		write(t, file, nil)
		write(t, script, []byte(s.Run))
		added := strings.TrimSpace(text(t, path))
		vars := slices.Concat([]string{
			"GITHUB_ACTIONS=true", "RUNNER_OS=Linux", "RUNNER_ARCH=" + map[string]string{"amd64": "X64", "arm64": "ARM64"}[runtime.GOARCH],
			"RUNNER_TEMP=" + temp, "GITHUB_OUTPUT=" + file, "GITHUB_PATH=" + path, "GITHUB_STEP_SUMMARY=" + filepath.Join(temp, "summary.md"),
			"PATH=" + added + string(os.PathListSeparator) + os.Getenv("PATH"),
		}, env)
		for name, v := range s.Env {
			vars = append(vars, name+"="+value(v))
		}
		// https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax has this command for shell: bash.
		all.result = joined(all.result, run(t, where, vars, "bash", "--noprofile", "--norc", "-eo", "pipefail", script))
		steps[s.ID] = variables(text(t, file))
		if all.status != 0 {
			break
		}
	}
	for name, o := range a.Outputs {
		if m := stepOutput.FindStringSubmatch(o.Value); m == nil {
			t.Errorf("the output %s is %s", name, o.Value)
		} else {
			outputs[name] = steps[m[1]][m[2]]
		}
	}
	all.outputs, all.path = outputs, strings.TrimSpace(text(t, path))
	return all
}

func joined(a, b result) result { return result{a.stdout + b.stdout, a.stderr + b.stderr, b.status} }

func text(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func variables(text string) map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		all[name] = value
	}
	return all
}

// component reads templates/deploy.yml with inputs filled in. Like GitLab, it fills them
// into the text before it parses the YAML, and writes arrays as Ruby shows them.
func component(t *testing.T, inputs map[string]string) gitlabJob {
	t.Helper()
	header, body, ok := strings.Cut(text(t, filepath.Join(root, "templates", "deploy.yml")), "\n---\n")
	var spec struct {
		Spec struct {
			Inputs map[string]struct {
				Description, Regex, Type string
				Default                  any
			}
		}
	}
	if err := yaml.NewDecoder(strings.NewReader(header), yaml.Strict()).Decode(&spec); err != nil || !ok {
		t.Fatal(err)
	}
	for name := range inputs {
		if _, ok := spec.Spec.Inputs[name]; !ok {
			t.Errorf("there is no input %s", name)
		}
	}
	for name, in := range spec.Spec.Inputs {
		v, given := inputs[name]
		switch {
		case given && in.Regex != "" && !regexp.MustCompile(in.Regex).MatchString(v):
			t.Errorf("the input %s is %q", name, v)
		case !given && in.Default == nil:
			t.Errorf("the input %s is required", name)
		case in.Type == "array":
			v = array(v)
		case !given:
			v = fmt.Sprint(in.Default)
		}
		body = strings.ReplaceAll(body, "$[[ inputs."+name+" ]]", v)
	}
	var jobs map[string]gitlabJob
	if err := yaml.NewDecoder(strings.NewReader(body), yaml.Strict()).Decode(&jobs); err != nil {
		t.Fatalf("%v\n%s", err, body)
	}
	j, ok := jobs["spiro-deploy"]
	if !ok || len(jobs) != 1 || strings.Contains(body, "$[[") {
		t.Errorf("there are %d jobs, or an input is not filled in", len(jobs))
	}
	for name, v := range j.Variables {
		v, ok := v.(map[string]any)
		if ok != strings.HasPrefix(name, "INPUT_") || ok && v["expand"] != false {
			t.Errorf("the variable %s is expanded", name)
		}
		if ok {
			j.Variables[name] = v["value"]
		}
	}
	return j
}

// array returns lines as an array's text in Ruby.
func array(lines string) string {
	var all []string
	for line := range strings.SplitSeq(lines, "\n") {
		if line != "" {
			all = append(all, `"`+strings.NewReplacer(`\`, `\\`, `"`, `\"`, "#{", `\#{`, "#$", `\#$`).Replace(line)+`"`)
		}
	}
	return "[" + strings.Join(all, ", ") + "]"
}

// shells counts the jobs: every other runs in bash.
var shells atomic.Int64

type gitlabJob struct {
	Stage, Image  string
	Group         string `yaml:"resource_group"`
	Interruptible *bool
	Variables     map[string]any
	Script        []string
	Artifacts     struct {
		When    string
		Paths   []string
		Reports struct{ JUnit, Dotenv string }
	}
}

// runComponent runs the job of the component as GitLab's runner does: in bash with
// pipefail, or in sh if the image has no bash.
func runComponent(t *testing.T, dir string, inputs map[string]string, env ...string) ended {
	t.Helper()
	j := component(t, inputs)
	vars := append([]string{"GITLAB_CI=true", "TMPDIR=" + t.TempDir()}, env...)
	for name, v := range j.Variables {
		vars = append(vars, fmt.Sprintf("%s=%v", name, v))
	}
	if j.Interruptible == nil || *j.Interruptible || j.Artifacts.When != "always" {
		t.Errorf("a job %+v, which may be cancelled, or leave no report", j)
	}
	script := strings.Join(j.Script, "\n")
	shell := [][]string{{"sh", "-eu", "-c", script}, {"bash", "-eo", "pipefail", "-c", script}}[shells.Add(1)%2]
	all := ended{result: run(t, dir, vars, shell[0], shell[1:]...)}
	if content, err := os.ReadFile(filepath.Join(dir, j.Artifacts.Reports.Dotenv)); err == nil {
		all.outputs = map[string]string{}
		for name, v := range variables(string(content)) {
			all.outputs[strings.ToLower(strings.TrimPrefix(name, "SPIRO_DEPLOY_"))] = v
		}
		written(t, dir, j.Artifacts.Reports.JUnit, "<testsuites")
	}
	return all
}

// fromExample returns what an example gives a block.
func fromExample(t *testing.T, name string, settings map[string]string) map[string]string {
	t.Helper()
	with := map[string]string{}
	if strings.HasPrefix(name, "github") {
		var w github
		parse(t, name, &w)
		for _, s := range w.Jobs["deploy"].Steps {
			if s.Uses == "spirostack/spirodeploy@"+release {
				maps.Copy(with, s.With)
			}
		}
	} else {
		var p struct {
			Include []struct {
				Component string
				Inputs    map[string]any
			}
		}
		if err := yaml.Unmarshal([]byte(text(t, filepath.Join(root, "examples", "ci", name))), &p); err != nil || len(p.Include) != 1 {
			t.Fatalf("%s: %v", name, err)
		}
		for name, v := range p.Include[0].Inputs {
			words, ok := v.([]any)
			if !ok {
				words = []any{v}
			}
			var lines []string
			for _, w := range words {
				lines = append(lines, fmt.Sprint(w))
			}
			with[name] = strings.Join(lines, "\n")
		}
	}
	if with["version"] != release {
		t.Fatalf("%s: %v", name, with)
	}
	for key, v := range with {
		for setting, value := range settings {
			if v == "${{ vars."+setting+" }}" || v == "${{ secrets."+setting+" }}" {
				with[key] = value
			}
		}
	}
	return with
}

var digest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// blocks are the ways to run one.
var blocks = map[string]func(*testing.T, string, map[string]string, ...string) ended{
	"github.yml": runAction, "gitlab-ci.yml": runComponent,
}

// TestBlocks deploys as the examples say, one time with a minion that fails.
func TestBlocks(t *testing.T) {
	t.Parallel()
	onLinux(t)
	for name, block := range blocks {
		for status, minion := range []any{nil, fails} {
			t.Run(fmt.Sprintf("%s status %d", name, status), func(t *testing.T) {
				t.Parallel()
				srv, env := server(t, minion)
				dir, arguments := shop(t), filepath.Join(t.TempDir(), "arguments")
				must(t, dir, []string{"CGO_ENABLED=0"}, "go", "build", "-trimpath", "-o", "build/shop", ".")
				token := strings.TrimPrefix(env[1], "SPIRO_TOKEN=")
				with := fromExample(t, name, map[string]string{"SPIRO_URL": srv.URL(), "SPIRO_TOKEN": token})
				with["download"] = download(t, "linux", runtime.GOARCH, arguments)
				if name == "github.yml" {
					env = env[2:] // the other two are inputs
				}
				r := block(t, dir, with, env...)
				if r.status != status || r.outputs["status"] != fmt.Sprint(status) || !digest.MatchString(r.outputs["digest"]) {
					t.Errorf("status %d and outputs %v, want %d", r.status, r.outputs, status)
				}
				deployed(t, srv, "build/shop")
				masked(t, r, token, name == "github.yml")
				seen := text(t, arguments)
				for _, want := range []string{"--artifact=build/shop\n", "--require-minions\n--timeout=25m\n--\nshop\nprod\n"} {
					if !strings.Contains(seen, want) {
						t.Errorf("the command is called with\n%swithout %q", seen, want)
					}
				}
				if strings.Contains(seen, token) {
					t.Error("the token is among the command's arguments")
				}
				if name == "github.yml" {
					written(t, dir, "report.html", "<html")
					written(t, dir, "report.xml", "<testsuites")
					written(t, filepath.Dir(r.outputs["report"]), "report.json", `"schemaVersion"`)
				}
			})
		}
	}
}

func onLinux(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("the runners that are played here have Linux")
	}
}

// masked fails the test if a log has the token after the line that hides it.
func masked(t *testing.T, r ended, token string, masks bool) {
	t.Helper()
	mask := "::add-mask::" + token + "\n"
	if before, after, found := strings.Cut(r.stdout, mask); found != masks || strings.Contains(before+after+r.stderr, token) {
		t.Errorf("the token is masked: %v; or the log has it", found)
	}
}

// TestBlockInputs gives inputs that look like code of a shell. They must reach the
// command as words, unchanged.
func TestBlockInputs(t *testing.T) {
	t.Parallel()
	onLinux(t)
	evil := "$(touch pwned) `touch pwned`; touch pwned #'\"' * ${HOME} %0A \\n #{x} #$y [\"a\", 'b']: c"
	for name, block := range blocks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, arguments := shop(t), filepath.Join(t.TempDir(), "arguments")
			r := block(t, dir, map[string]string{
				"version": release, "download": download(t, "linux", runtime.GOARCH, arguments), "project": "--" + evil, "deployment": evil,
				"server": evil + "\n\nhttps://second.example.com/", "artifacts": evil + "\n two", "bundle": evil[1:], "report": "html=report " + evil, "arguments": "--exclude=" + evil + "\n--strict\n",
			}, "SPIRO_TOKEN=first%line\nsecond")
			if r.status != 2 || r.outputs["status"] != "2" {
				t.Errorf("status %d, outputs %v", r.status, r.outputs)
			}
			first := ""
			bundle := "--bundle=" + evil[1:] + "\n"
			if name == "gitlab-ci.yml" {
				first, bundle = bundle, ""
			}
			want := first + "--server=" + evil + "\n--server=https://second.example.com/\n--artifact=" + evil + "\n--artifact= two\n" + bundle + "--report=html=report " + evil +
				"\n--exclude=" + evil + "\n--strict\n--\n--" + evil + "\n" + evil + "\n"
			if seen := text(t, arguments); !strings.HasSuffix(seen, want) {
				t.Errorf("the command is called with\n%swant\n%s", seen, want)
			}
			if _, err := os.Stat(filepath.Join(dir, "pwned")); err == nil {
				t.Error("an input was run")
			}
			if name == "github.yml" && !strings.Contains(r.stdout, "::add-mask::first%25line\n::add-mask::second\n") {
				t.Errorf("not each line of the token is masked:\n%s", r.stdout)
			}
		})
	}
}

// TestBlockDownload has the cases in which a block must end before it installs anything.
func TestBlockDownload(t *testing.T) {
	t.Parallel()
	onLinux(t)
	for block, run := range blocks {
		for name, tt := range map[string]struct {
			change func(t *testing.T, dir string, with map[string]string)
			want   string
		}{
			"other bytes": {func(t *testing.T, dir string, _ map[string]string) {
				write(t, archiveIn(t, dir), []byte("other"))
			}, "is not what SHA256SUMS says: nothing was installed"},
			"not listed": {func(t *testing.T, dir string, _ map[string]string) {
				write(t, filepath.Join(dir, "SHA256SUMS"), []byte("0  other\n"))
			}, "has no line for spiro-deploy_v0.1.0_linux_"},
			"no release": {func(_ *testing.T, _ string, with map[string]string) { with["version"] = "v9.9.9" }, "download spiro-deploy_v9.9.9_linux_"},
		} {
			t.Run(block+" "+name, func(t *testing.T) {
				t.Parallel()
				dir, arguments := t.TempDir(), filepath.Join(t.TempDir(), "arguments")
				with := map[string]string{
					"version": release, "download": download(t, "linux", runtime.GOARCH, arguments), "project": "shop", "deployment": "prod",
				}
				tt.change(t, filepath.Join(strings.TrimPrefix(with["download"], "file://"), release), with)
				r := run(t, dir, with, "SPIRO_TOKEN=secret")
				if r.status != 2 || !strings.Contains(r.stdout+r.stderr, tt.want) {
					t.Errorf("status %d, want 2 and %q", r.status, tt.want)
				}
				if _, err := os.Stat(arguments); err == nil || r.path != "" {
					t.Error("it is installed, or even called")
				}
			})
		}
	}
}

func archiveIn(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.tar.gz"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	return files[0]
}

// TestActionPlatforms installs on each runner that GitHub has.
func TestActionPlatforms(t *testing.T) {
	t.Parallel()
	onLinux(t)
	for _, tt := range []struct{ os, arch, goos, goarch, program string }{
		{"Linux", "X64", "linux", "amd64", "spiro-deploy"},
		{"Linux", "ARM64", "linux", "arm64", "spiro-deploy"},
		{"macOS", "X64", "darwin", "amd64", "spiro-deploy"},
		{"macOS", "ARM64", "darwin", "arm64", "spiro-deploy"},
		{"Windows", "X64", "windows", "amd64", "spiro-deploy.exe"},
		{"Windows", "ARM64", "windows", "arm64", "spiro-deploy.exe"},
		{"Linux", "ARM", "linux", "arm", ""},
		{"Plan9", "X64", "plan9", "amd64", ""},
	} {
		t.Run(tt.os+" "+tt.arch, func(t *testing.T) {
			t.Parallel()
			with := map[string]string{
				"version": release, "project": "shop", "deployment": "prod",
				"download": download(t, tt.goos, tt.goarch, filepath.Join(t.TempDir(), "arguments")),
			}
			r := runAction(t, t.TempDir(), with, "RUNNER_OS="+tt.os, "RUNNER_ARCH="+tt.arch)
			if tt.program == "" {
				if r.status != 2 || !strings.Contains(r.stdout, "there is no release for the ") {
					t.Errorf("status %d", r.status)
				}
				return
			}
			if _, err := os.Stat(filepath.Join(r.path, tt.program)); err != nil {
				t.Errorf("on the path is %s: %v", r.path, err)
			}
		})
	}
}

// TestActionVersion: the action refuses an input that is not a version before it builds
// an address from it.
func TestActionVersion(t *testing.T) {
	t.Parallel()
	onLinux(t)
	for _, version := range []string{"", "latest", "0.1.0", "v0.1", "v0.1.0/../..", "v0.1.0\nx", "v0.1.0 ", "v0.1.0-$(id)"} {
		r := runAction(t, t.TempDir(), map[string]string{"version": version, "download": "file:///nowhere"})
		if r.status != 2 || !strings.Contains(r.stdout, "the input version is not one of a release") {
			t.Errorf("%q: status %d", version, r.status)
		}
	}
}
