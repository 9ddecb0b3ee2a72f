package cli

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/spirostack/spirodeploy/spirodeploy/report/view"
)

// TestLogs: the log of a job has colours and groups, and a file of a job has groups alone.
func TestLogs(t *testing.T) {
	t.Parallel()
	file, err := os.Create(filepath.Join(t.TempDir(), "out.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r, pipe, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer pipe.Close()
	for name, tt := range map[string]struct {
		env    map[string]string
		out    io.Writer
		flag   string
		groups view.Log
		color  bool
	}{
		"github":            {env: map[string]string{"GITHUB_ACTIONS": "true", "TERM": "dumb"}, out: pipe, groups: view.GitHub, color: true},
		"gitlab":            {env: map[string]string{"GITLAB_CI": "true"}, out: pipe, groups: view.GitLab, color: true},
		"github, file":      {env: map[string]string{"GITHUB_ACTIONS": "true"}, out: file, groups: view.GitHub},
		"gitlab, file":      {env: map[string]string{"GITLAB_CI": "true"}, out: file, groups: view.GitLab},
		"github, NO_COLOR":  {env: map[string]string{"GITHUB_ACTIONS": "true", "NO_COLOR": "1"}, out: pipe, groups: view.GitHub},
		"github, CLICOLOR":  {env: map[string]string{"GITHUB_ACTIONS": "true", "CLICOLOR": "0"}, out: pipe, groups: view.GitHub},
		"github, never":     {env: map[string]string{"GITHUB_ACTIONS": "true"}, out: pipe, flag: never, groups: view.GitHub},
		"file, always":      {env: map[string]string{"GITLAB_CI": "true"}, out: file, flag: always, groups: view.GitLab, color: true},
		"elsewhere, a pipe": {out: pipe}, "elsewhere, a file": {out: file},
	} {
		w := World{Getenv: func(name string) string { return tt.env[name] }}
		if o := w.summaryOptions(Settings{Color: tt.flag}, tt.out); o.Log != tt.groups || o.Color != tt.color {
			t.Errorf("%s: groups %q and colour %t, want %q and %t", name, o.Log, o.Color, tt.groups, tt.color)
		}
	}
	// A reader of the log does not see what goes to a file.
	w := World{Getenv: func(name string) string { return map[string]string{"GITHUB_ACTIONS": "true"}[name] }}
	w.bytes, w.rawStderr = file, pipe
	if w.together() {
		t.Error("a file and the log are taken for one place")
	}
}

// TestStateFile: only a file that the project has is named, from the top of the repository.
func TestStateFile(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	for _, name := range []string{"app/_salt/web.sls", "app/_salt/db/init.sls", "app/_salt/both.sls", "app/_salt/both/init.sls", "app/outside.sls"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(top, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(top, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	in := func(workspace string) World {
		return World{Getenv: func(name string) string { return map[string]string{"GITHUB_WORKSPACE": workspace}[name] }}
	}
	dir := filepath.Join(top, "app")
	find := in(top).stateFile(Settings{Dir: dir})
	for sls, want := range map[string]string{
		"web": "app/_salt/web.sls", "db": "app/_salt/db/init.sls", "db.init": "app/_salt/db/init.sls", "both": "app/_salt/both.sls",
		"other": "", "": "", "../outside": "", "..outside": "", "/web": "", "web/": "", "web\x00": "",
	} {
		if got := find(sls); got != want {
			t.Errorf("the file of %q is %q, want %q", sls, got, want)
		}
	}
	if got := in("").stateFile(Settings{Dir: dir})("web"); got != "_salt/web.sls" {
		t.Errorf("without a workspace, the file is %q", got)
	}
	if in(top).stateFile(Settings{Dir: dir, Bundle: "old.tar"}) != nil {
		t.Error("a bundle from elsewhere has files here")
	}
	if in(filepath.Join(top, "elsewhere")).stateFile(Settings{Dir: dir}) != nil {
		t.Error("a project outside of the workspace has files in it")
	}
}
