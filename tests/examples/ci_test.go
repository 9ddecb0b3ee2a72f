package examples_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/spirostack/spirodeploy/tests/program"
)

// github is a workflow, with what the examples use of one, and nothing else.
type github struct {
	Name        string
	On          struct{ Push struct{ Branches []string } }
	Permissions map[string]string
	Concurrency struct {
		Group  string
		Cancel bool `yaml:"cancel-in-progress"`
	}
	Env  map[string]string
	Jobs map[string]struct {
		RunsOn      string `yaml:"runs-on"`
		Timeout     int    `yaml:"timeout-minutes"`
		Environment string
		Steps       []struct {
			Uses, Run, If string
			With, Env     map[string]string
		}
	}
}

// gitlab is a pipeline, likewise.
type gitlab map[string]struct {
	Image, Environment, Timeout string
	Services, Needs             []string
	Rules                       []map[string]string
	ResourceGroup               string `yaml:"resource_group"`
	Interruptible               *bool
	Variables                   map[string]string
	BeforeScript                []string `yaml:"before_script"`
	Script                      []string
	Artifacts                   struct {
		When    string
		Paths   []string
		Reports struct{ JUnit string }
	}
}

// job is a way to deploy in CI.
type job struct {
	steps []step
	keeps []string // the files that are kept, even if the job fails
	junit string   // the one of these that the service shows as tests, if it knows of any
}

// step is a script that runs in a shell of its own, and its part of the environment: as
// the file has it, with secrets filled in.
type step struct {
	run string
	env []string
}

func parse(t *testing.T, name string, into any) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "examples", "ci", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.NewDecoder(bytes.NewReader(content), yaml.Strict()).Decode(into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// fromGitHub reads a job; env has the repository's settings.
func fromGitHub(t *testing.T, name string, env []string) job {
	t.Helper()
	var w github
	parse(t, name, &w)
	deploy, ok := w.Jobs["deploy"]
	if !ok || w.Concurrency.Group == "" || w.Concurrency.Cancel || deploy.Timeout == 0 || w.Permissions["contents"] != "read" {
		t.Errorf("%s: a workflow %+v, in which deployments may meet, be cancelled, or go on for ever, or do more than read", name, w)
	}
	var j job
	for _, s := range deploy.Steps {
		if s.Run != "" && !installs(s.Run) {
			j.steps = append(j.steps, step{s.Run, append(pairs(w.Env, nil), pairs(s.Env, env)...)})
		}
		if strings.HasPrefix(s.Uses, "actions/upload-artifact@") && s.If == "always()" {
			j.keeps = strings.Fields(s.With["path"])
		}
	}
	return j
}

// pairs returns variables as the environment of a process. If a value is one of the
// repository's settings, it comes from env.
func pairs(variables map[string]string, env []string) (all []string) {
	for name, value := range variables {
		if value == "${{ secrets."+name+" }}" || value == "${{ vars."+name+" }}" {
			for _, e := range env {
				if strings.HasPrefix(e, name+"=") {
					all = append(all, e)
				}
			}
			continue
		}
		all = append(all, name+"="+value)
	}
	return all
}

// fromGitLab reads a job. One shell runs all its lines, after those of the job that
// builds, if there is one.
func fromGitLab(t *testing.T, name string, env []string) job {
	t.Helper()
	var p gitlab
	parse(t, name, &p)
	deploy, ok := p["deploy"]
	if !ok || deploy.ResourceGroup == "" || deploy.Interruptible == nil || *deploy.Interruptible || deploy.Timeout == "" || deploy.Artifacts.When != "always" {
		t.Errorf("%s: a job %+v, in which deployments may meet, be cancelled, or go on for ever, or leave no report", name, deploy)
	}
	lines := slices.DeleteFunc(slices.Concat(p["build"].Script, deploy.BeforeScript, deploy.Script), installs)
	j := job{
		steps: []step{{strings.Join(lines, "\n"), append(pairs(deploy.Variables, nil), env...)}},
		keeps: append(deploy.Artifacts.Paths, deploy.Artifacts.Reports.JUnit), junit: deploy.Artifacts.Reports.JUnit,
	}
	if j.junit == "" {
		t.Errorf("%s: tests are shown of no file", name)
	}
	return j
}

// installs reports whether a line installs programs. The tests have them already.
func installs(line string) bool {
	return strings.HasPrefix(line, "go install ") || strings.HasPrefix(line, "apk add ") || strings.HasPrefix(line, "curl ")
}

// do runs the steps in a directory, up to the first that fails, with programs
// from the directory bin.
func (j job) do(t *testing.T, dir, bin string, env ...string) result {
	t.Helper()
	env = append(env, "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	var all result
	for _, s := range j.steps {
		r := run(t, dir, slices.Concat(env, s.env), "bash", "-eu", "-o", "pipefail", "-c", s.run)
		all = result{all.stdout + r.stdout, all.stderr + r.stderr, r.status}
		if r.status != 0 {
			break
		}
	}
	return all
}

// kept fails the test unless the files exist that a job keeps.
func (j job) kept(t *testing.T, dir string) {
	t.Helper()
	if len(j.keeps) == 0 {
		t.Error("the job keeps nothing if it fails")
	}
	for _, name := range j.keeps {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("the job keeps %s, which is not there: %v", name, err)
		}
	}
	if j.junit != "" {
		written(t, dir, j.junit, "<testsuites")
	}
}

// shop returns a copy of the shop that looks like a repository of its own: with a go.mod,
// and without the stand-in for the output of the build.
func shop(t *testing.T) string {
	t.Helper()
	dir := example(t, "shop")
	if err := os.Remove(filepath.Join(dir, "build", "shop")); err != nil {
		t.Fatal(err)
	}
	must(t, dir, nil, "go", "mod", "init", "example.com/shop")
	return dir
}

// TestCI runs the jobs that use the command against a server, one time with a
// minion that fails.
func TestCI(t *testing.T) {
	t.Parallel()
	bin := filepath.Dir(program.Command(t))
	for name, read := range map[string]func(*testing.T, string, []string) job{
		"github-command.yml": fromGitHub, "gitlab-ci-command.yml": fromGitLab,
	} {
		for status, minion := range []any{nil, fails} {
			t.Run(fmt.Sprintf("%s status %d", name, status), func(t *testing.T) {
				t.Parallel()
				srv, env := server(t, minion)
				dir, j := shop(t), read(t, name, env[:2])
				r := j.do(t, dir, bin, env[2])
				if r.status != status {
					t.Errorf("status %d, want %d", r.status, status)
				}
				deployed(t, srv, "build/shop")
				j.kept(t, dir)
				if token := strings.TrimPrefix(env[1], "SPIRO_TOKEN="); strings.Contains(r.stdout+r.stderr, token) {
					t.Error("the log has the token")
				}
			})
		}
	}
}

// TestCIDagger runs the jobs that call the Dagger module. A program in place of dagger
// writes down its arguments and leaves a report. The calls must use functions and
// arguments that the module has, and a failure must fail the job.
func TestCIDagger(t *testing.T) {
	t.Parallel()
	const want = "-m github.com/spirostack/spirodeploy call bundle --dir . --artifacts build/shop export --path bundle.tar\n" +
		"-m github.com/spirostack/spirodeploy call --server https://salt.example.com:4510/ deploy-report --bundle bundle.tar" +
		" --project shop --deployment prod --token env:SPIRO_TOKEN files export --path report\n"
	known(t, want)
	for name, read := range map[string]func(*testing.T, string, []string) job{
		"github-dagger.yml": fromGitHub, "gitlab-ci-dagger.yml": fromGitLab,
	} {
		for _, status := range []int{0, 1, 6} {
			t.Run(fmt.Sprintf("%s status %d", name, status), func(t *testing.T) {
				t.Parallel()
				dir, bin := shop(t), t.TempDir()
				stub := fmt.Sprintf(`#!/bin/sh
case "$*" in *deploy-report*) : "${SPIRO_TOKEN:?}" ;; esac
echo "$@" >> calls
mkdir -p report
echo '{"exitStatus": %d}' > report/report.json
for f in html md; do echo report > report/report.$f; done
echo '<testsuites/>' > report/report.xml
`, status)
				if err := os.WriteFile(filepath.Join(bin, "dagger"), []byte(stub), 0o755); err != nil {
					t.Fatal(err)
				}
				j := read(t, name, []string{"SPIRO_URL=https://salt.example.com:4510/", "SPIRO_TOKEN=secret"})
				if r := j.do(t, dir, bin, "GITHUB_STEP_SUMMARY=summary.md"); r.status != status {
					t.Errorf("status %d, want %d", r.status, status)
				}
				if calls, err := os.ReadFile(filepath.Join(dir, "calls")); err != nil || string(calls) != want {
					t.Errorf("dagger is called %v\n%s\nwant\n%s", err, calls, want)
				}
				j.kept(t, dir)
			})
		}
	}
}

// known fails the test unless the module has the functions and arguments of calls.
func known(t *testing.T, calls string) {
	t.Helper()
	types, constructor := dependency(t)
	words := map[string]bool{"m": true, "path": true} // of dagger itself
	learn := func(f object) {
		for _, arg := range f["args"].([]object) {
			words[arg["name"].(string)] = true
		}
	}
	learn(constructor)
	for _, typ := range types {
		fields, _ := typ["fields"].([]object) // an enum has none
		for _, f := range fields {
			learn(f)
		}
	}
	for word := range strings.FieldsSeq(calls) {
		if flag := strings.TrimLeft(word, "-"); flag != word && !words[flag] {
			t.Errorf("the module has no argument %s", word)
		}
	}
}
