package examples_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
	"github.com/spirostack/spirodeploy/tests/program"
	"github.com/spirostack/spirodeploy/tests/registry/store"
)

// promotion is a workflow that builds once and deploys often: the members that the
// examples use.
type promotion struct {
	Env map[string]string
	// Jobs are build, staging, production and rollback.
	Jobs map[string]struct {
		Environment string
		Outputs     map[string]string
		Permissions map[string]string
		Concurrency struct {
			Group  string
			Cancel bool `yaml:"cancel-in-progress"`
		}
		Steps []struct {
			ID, Uses, Run string
			With, Env     map[string]string
		}
	}
}

// pipeline runs the jobs of an example, one by one.
type pipeline struct {
	dir, home, bin string // the repository, and what the runner has
	download       string // where the release is
	registry       string // its host
	env            []string
	settings       map[string]string // variables and secrets
}

const registryUser, registryPassword = "ci", "the-password-of-the-job"

// newPipeline starts a registry, and a server with a minion of each deployment.
func newPipeline(t *testing.T) (*pipeline, *spirotest.Server) {
	t.Helper()
	onLinux(t)
	srv := spirotest.New(t, spirotest.Options{TLS: true, Minions: []spirotest.Minion{{ID: "web1"}, {ID: "staging1"}}})
	reg := store.Start(t, store.Options{Username: registryUser, Password: registryPassword})
	p := &pipeline{dir: shop(t), home: t.TempDir(), bin: t.TempDir(), registry: strings.TrimPrefix(reg.URL, "http://")}
	p.download = download(t, "linux", runtime.GOARCH, filepath.Join(t.TempDir(), "arguments"))
	if err := os.Symlink(program.Command(t), filepath.Join(p.bin, "spiro-deploy")); err != nil {
		t.Fatal(err)
	}
	// The part of "docker login" that matters here.
	p.program(t, "docker", `[ "$1 $2 $3 $5" = "login $REGISTRY --username --password-stdin" ]
auth=$(printf '%s:%s' "$4" "$(cat)" | base64 | tr -d '\n')
mkdir -p "$HOME/.docker"
printf '{"auths":{"%s":{"auth":"%s"}}}' "$2" "$auth" > "$HOME/.docker/config.json"
`)
	token := srv.Token(time.Hour, "shop")
	p.env = []string{"HOME=" + p.home, "DOCKER_CONFIG=", "REGISTRY=" + p.registry, "GITHUB_ACTOR=" + registryUser, "GITHUB_SHA=0123456789", trust(t, srv), goCache(t)}
	p.settings = map[string]string{"vars.SPIRO_URL": srv.URL(), "secrets.SPIRO_TOKEN": token, "secrets.GITHUB_TOKEN": registryPassword}
	return p, srv
}

// goCache returns the variable that keeps Go's cache where it is for another home.
func goCache(t *testing.T) string {
	t.Helper()
	return "GOCACHE=" + strings.TrimSpace(must(t, ".", nil, "go", "env", "GOCACHE"))
}

func (p *pipeline) program(t *testing.T, name, script string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(p.bin, name), []byte("#!/bin/sh\nset -eu\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
}

var setting = regexp.MustCompile(`\$\{\{ ([a-zA-Z_.]+) \}\}`)

// fill fills in a value of a workflow.
func (p *pipeline) fill(t *testing.T, value string) string {
	t.Helper()
	return setting.ReplaceAllStringFunc(value, func(found string) string {
		name := setting.FindStringSubmatch(found)[1]
		filled, ok := p.settings[name]
		if !ok {
			t.Errorf("there is no %s", name)
		}
		return filled
	})
}

// github runs a job of a workflow in a directory, and keeps its outputs. It returns the
// log.
func (p *pipeline) github(t *testing.T, file, name, dir string) string {
	t.Helper()
	var w promotion
	content := strings.ReplaceAll(text(t, filepath.Join(root, "examples", "ci", file)), "ghcr.io", p.registry)
	if err := yaml.Unmarshal([]byte(content), &w); err != nil {
		t.Fatal(err)
	}
	job, ok := w.Jobs[name]
	if !ok || name != "build" && (job.Concurrency.Group == "" || job.Concurrency.Cancel || job.Environment == "") {
		t.Fatalf("the job %s is %+v", name, job)
	}
	var log string
	path := "PATH=" + p.bin + string(os.PathListSeparator) + os.Getenv("PATH")
	for _, s := range job.Steps {
		var r result
		switch {
		case strings.HasPrefix(s.Uses, "spirostack/spirodeploy@"):
			with := map[string]string{}
			for key, value := range s.With {
				with[key] = p.fill(t, value)
			}
			with["download"] = p.download
			r = runAction(t, dir, with, p.env...).result
		case s.Run == "" || installs(s.Run):
			continue
		default:
			outputs := filepath.Join(t.TempDir(), "outputs")
			env := append([]string{path, "GITHUB_OUTPUT=" + outputs, "GITHUB_STEP_SUMMARY=" + outputs + ".md"}, p.env...)
			for _, variables := range []map[string]string{w.Env, s.Env} {
				for key, value := range variables {
					env = append(env, key+"="+p.fill(t, value))
				}
			}
			r = run(t, dir, env, "bash", "-e", "-c", s.Run)
			if s.ID != "" && r.status == 0 {
				for key, value := range variables(text(t, outputs)) {
					p.settings["steps."+s.ID+".outputs."+key] = value
				}
			}
		}
		log += r.stdout + r.stderr
		if r.status != 0 {
			t.Fatalf("%s: status %d", name, r.status)
		}
	}
	for key, value := range job.Outputs {
		p.settings["needs."+name+".outputs."+key] = p.fill(t, value)
	}
	return log
}

// gitlab does the same with a pipeline, whose variables are the settings.
func (p *pipeline) gitlab(t *testing.T, file, name, dir string) string {
	t.Helper()
	var g struct {
		Include []struct {
			Component string
			Inputs    map[string]any
		}
		Default struct {
			Before []string `yaml:"before_script"`
		}
		Build struct {
			Script    []string
			Artifacts struct{ Reports struct{ Dotenv string } }
		}
	}
	if err := yaml.Unmarshal([]byte(text(t, filepath.Join(root, "examples", "ci", file))), &g); err != nil {
		t.Fatal(err)
	}
	env := append([]string{
		"PATH=" + p.bin + string(os.PathListSeparator) + os.Getenv("PATH"), "CI_REGISTRY=" + p.registry, "CI_REGISTRY_USER=" + registryUser,
		"CI_REGISTRY_PASSWORD=" + registryPassword, "CI_REGISTRY_IMAGE=" + p.registry + "/example/shop", "CI_COMMIT_SHA=0123456789",
	}, p.env...)
	for key, value := range p.settings {
		if _, name, ok := strings.Cut(key, "."); ok && !strings.HasPrefix(key, "secrets.GITHUB") {
			env = append(env, name+"="+value)
		}
	}
	var lines []string
	for _, line := range append(g.Default.Before, g.Build.Script...) {
		if !installs(line) {
			lines = append(lines, line)
		}
	}
	if name == "build" {
		r := run(t, dir, env, "bash", "-eu", "-o", "pipefail", "-c", strings.Join(lines, "\n"))
		if r.status != 0 {
			t.Fatalf("status %d", r.status)
		}
		for key, value := range variables(text(t, filepath.Join(dir, g.Build.Artifacts.Reports.Dotenv))) {
			p.settings["vars."+key] = value
		}
		return r.stdout + r.stderr
	}
	for _, include := range g.Include {
		if include.Inputs["job"] != name {
			continue
		}
		with := map[string]string{"download": p.download}
		for key, value := range include.Inputs {
			if words, ok := value.([]any); ok {
				value = fmt.Sprint(words...)
			}
			if key != "job" {
				with[key] = fmt.Sprint(value)
			}
		}
		before := run(t, dir, env, "sh", "-eu", "-c", strings.Join(g.Default.Before, "\n"))
		r := runComponent(t, dir, with, env...)
		if r.status != 0 || before.status != 0 {
			t.Fatalf("%s: status %d", name, r.status)
		}
		return before.stdout + before.stderr + r.stdout + r.stderr
	}
	t.Fatalf("there is no job %s", name)
	return ""
}

// TestPromote builds once, deploys that to staging and to production, does it again
// with another version, and rolls back.
func TestPromote(t *testing.T) {
	t.Parallel()
	for file, address := range map[string]string{"github-promote.yml": "needs.build.outputs.bundle", "gitlab-ci-promote.yml": "vars.SHOP_BUNDLE"} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			p, srv := newPipeline(t)
			do, back := p.github, "inputs.bundle"
			if strings.HasPrefix(file, "gitlab") {
				do, back = p.gitlab, "vars.ROLLBACK"
			}
			empty, log := t.TempDir(), "" // jobs that deploy have no source
			digests := map[string]string{}
			expect := func(job, deployment, digest string) {
				t.Helper()
				log += do(t, file, job, empty)
				d, ok := srv.Deployment("shop", deployment)
				if !ok || digest != "" && d.Digest != digest {
					t.Fatalf("%s deploys %s, want %s", job, d.Digest, digest)
				}
				digests[job] = d.Digest
			}
			log += do(t, file, "build", p.dir)
			first := p.settings[address]
			expect("staging", "staging", "")
			last := digests["staging"]
			expect("production", "prod", last)

			write(t, filepath.Join(p.dir, "_salt", "new.sls"), []byte("{}\n"))
			log += do(t, file, "build", p.dir)
			if p.settings[address] == first {
				t.Fatal("two versions have one address")
			}
			expect("staging", "staging", "")
			if digests["staging"] == last {
				t.Error("the new version is the old one")
			}
			expect("production", "prod", digests["staging"])
			p.settings[back] = first
			expect("rollback", "prod", last)

			token := p.settings["secrets.SPIRO_TOKEN"]
			log = strings.ReplaceAll(log, "::add-mask::"+token, "")
			if strings.Contains(log, registryPassword) || strings.Contains(log, token) {
				t.Error("the log has the password or the token")
			}
		})
	}
}

// TestPromoteNothing: a component that should deploy the bundle of an earlier job builds
// none if there is no such bundle.
func TestPromoteNothing(t *testing.T) {
	t.Parallel()
	onLinux(t)
	for _, env := range [][]string{nil, {"SHOP_BUNDLE="}} {
		arguments := filepath.Join(t.TempDir(), "arguments")
		r := runComponent(t, shop(t), map[string]string{
			"version": release, "download": download(t, "linux", runtime.GOARCH, arguments), "project": "shop", "deployment": "prod", "bundle": "$SHOP_BUNDLE",
		}, append(env, "SPIRO_TOKEN=secret")...)
		if r.status != 2 || !strings.Contains(r.stderr, "the variable SHOP_BUNDLE has no bundle to deploy") {
			t.Errorf("status %d", r.status)
		}
		if _, err := os.Stat(arguments); err == nil {
			t.Error("the command is called")
		}
	}
}

// TestPromoteDagger runs the jobs that call the Dagger module. A program in place of
// dagger writes down its arguments.
func TestPromoteDagger(t *testing.T) {
	t.Parallel()
	const file = "github-promote-dagger.yml"
	p, _ := newPipeline(t)
	calls := filepath.Join(t.TempDir(), "calls")
	const pushed = "oci://registry.example.com/shop/bundle:1@sha256:1"
	p.program(t, "dagger", fmt.Sprintf(`echo "$@" >> '%s'
case "$*" in
  *password*) [ "$PASSWORD" = %s ] ;;
  *token*) : "${SPIRO_TOKEN:?}" ;;
esac
case "$*" in *" push "*) echo %s ;; esac
`, calls, registryPassword, pushed))
	p.settings["inputs.bundle"] = pushed + "2"
	var log string
	for _, name := range []string{"build", "staging", "production", "rollback"} {
		log += p.github(t, file, name, p.dir)
	}
	if strings.Contains(log, registryPassword) {
		t.Error("the log has the password")
	}
	const module = "-m github.com/spirostack/spirodeploy call "
	login := " --username ci --password env:PASSWORD"
	want := module + "bundle --dir . --artifacts build/shop export --path bundle.tar\n" +
		module + "push --bundle bundle.tar --address oci://" + p.registry + "/example/shop/bundle:0123456789" + login + "\n"
	for _, d := range []struct{ deployment, bundle string }{{"staging", pushed}, {"prod", pushed}, {"prod", pushed + "2"}} {
		want += module + "pull --address " + d.bundle + login + " export --path bundle.tar\n" +
			module + "--server " + p.settings["vars.SPIRO_URL"] + " deploy --bundle bundle.tar --project shop --deployment " + d.deployment + " --token env:SPIRO_TOKEN --timeout 25m\n"
	}
	known(t, want)
	if got := text(t, calls); got != want {
		t.Errorf("dagger is called\n%s\nwant\n%s", got, want)
	}
}
