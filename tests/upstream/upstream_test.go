// Package upstream_test compares this project's client with the first-party one,
// spiro-deploy 0.4. With the same arguments on the same trees, both make bundles of equal
// content and end with equal exit statuses, except in the cases that are named here.
package upstream_test

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/internal/dev/salt"
	"github.com/spirostack/spirodeploy/internal/dev/streams"
	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
	"github.com/spirostack/spirodeploy/tests/program"
)

// client is a way to call a client.
type client struct {
	name    string
	command []string
}

// clients returns the first-party client and ours. If there is no Python for the former,
// the test is skipped, but not in CI.
func clients(t *testing.T) (theirs, ours client) {
	t.Helper()
	env, err := prepare()
	switch {
	case errors.Is(err, salt.ErrNoPython) && os.Getenv("CI") != "true":
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
	return client{"theirs", env.Script("spiro-deploy")}, client{"ours", []string{program.Command(t), "--insecure"}}
}

var prepare = sync.OnceValues(func() (*salt.Env, error) {
	ctx, cancel := context.WithTimeout(context.Background(), salt.InstallLimit)
	defer cancel()
	return salt.Prepare(ctx, func(line string) { fmt.Fprintln(os.Stderr, line) })
})

func TestMain(m *testing.M) { program.Main(m) }

// entry is the part of a bundle's entry that the tests compare.
type entry struct {
	kind byte // of archive/tar
	exec bool
	link string
	sum  string
}

func (e entry) String() string {
	return fmt.Sprintf("%c x=%v link=%q %.8s", e.kind, e.exec, e.link, e.sum)
}

// run calls a client in a project directory. It returns the exit status and the output.
func (c client) run(t *testing.T, dir, url, token string, args ...string) (int, string) {
	t.Helper()
	args = slices.Concat(c.command, args, []string{"shop", "prod"})
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "SPIRO_URL="+url, "SPIRO_TOKEN="+token)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// bundle returns the entries that a client sends of a project, by cleaned name.
func (c client) bundle(t *testing.T, dir string, args ...string) map[string]entry {
	t.Helper()
	entries := map[string]entry{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, "Auth OK")
			return
		}
		file, _, err := r.FormFile("bundle")
		if err == nil {
			err = read(file, entries)
		}
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = w.Write(streams.Read("ok"))
	}))
	defer server.Close()
	if status, out := c.run(t, dir, server.URL+"/", "some-token", args...); status != 0 {
		t.Fatalf("%s: exit status %d\n%s", c.name, status, out)
	}
	return entries
}

func read(r io.Reader, entries map[string]entry) error {
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		sum := sha256.New()
		if _, err := io.Copy(sum, tr); err != nil {
			return err
		}
		e := entry{kind: h.Typeflag, link: h.Linkname}
		if h.Typeflag == tar.TypeReg {
			e.exec, e.sum = h.Mode&0o100 != 0, fmt.Sprintf("%x", sum.Sum(nil))
		}
		entries[path.Clean(h.Name)] = e
	}
}

// withParents adds the directories above the entries, which only our bundles name.
func withParents(entries map[string]entry) map[string]entry {
	all := maps.Clone(entries)
	for name := range entries {
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			all[dir] = entry{kind: tar.TypeDir}
		}
	}
	return all
}

// tree is a project; a value of "->target" is a link, "x:" executable, "/" a directory.
type tree map[string]string

func (tr tree) make(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range tr {
		file := filepath.Join(dir, name)
		must(t, os.MkdirAll(filepath.Dir(file), 0o755))
		target, isLink := strings.CutPrefix(content, "->")
		script, isScript := strings.CutPrefix(content, "x:")
		switch {
		case content == "/":
			must(t, os.MkdirAll(file, 0o755))
		case isLink:
			must(t, os.Symlink(target, file))
		case isScript:
			must(t, os.WriteFile(file, []byte(script), 0o755))
		default:
			must(t, os.WriteFile(file, []byte(content), 0o644))
		}
	}
	return dir
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// commit makes a repository of a project.
func commit(t *testing.T, dir string) {
	t.Helper()
	for _, args := range [][]string{{"init", "-q", "-b", "main"}, {"add", "."}, {"-c", "user.name=T", "-c", "user.email=t@example.org", "commit", "-q", "-m", "first"}} {
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
}

var project = tree{
	"_salt/spirotop.sls": "prod: {'*': [web]}\n",
	"_salt/web/init.sls": "hello: {test.nop: []}\n",
	"_salt/web/run.sh":   "x:#!/bin/sh\n",
	"_salt/web/link":     "->init.sls",
	"_salt/web/dir":      "->../web",
	"_salt/empty":        "/",
	"_salt/größe/…":      "umlaut\n",
	"_salt/" + strings.Repeat("long/", 60) + strings.Repeat("n", 120): "deep\n",
	"_salt/" + strings.Repeat("n", 200):                               "long\n",
	"build/eggs/one.egg":                                              "egg\n",
	"build/eggs/bin/tool":                                             "x:tool\n",
	"build/eggs/latest":                                               "->one.egg",
	"build/single":                                                    "x:single\n",
	"main.go":                                                         "package main\n",
	"sub/_salt/hidden.sls":                                            "left out\n",
	"sub/code.py":                                                     "x:code\n",
	".gitignore":                                                      "build\n",
}

// TestBundles: equal content, file by file.
func TestBundles(t *testing.T) {
	t.Parallel()
	theirs, ours := clients(t)
	for _, tt := range []struct {
		name string
		git  bool
		args []string
	}{
		{"states", false, nil},
		{"commit", true, nil},
		{"artifacts", true, []string{"--artifact", "build/eggs", "--artifact=build/single"}},
		{"source fs", true, []string{"--include-source", "fs"}},
		{"source filesystem", false, []string{"--include-source=filesystem"}},
		{"source git", true, []string{"--include-source", "git", "--artifact", "build"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := project.make(t)
			if tt.git {
				commit(t, dir)
			}
			want, got := withParents(theirs.bundle(t, dir, tt.args...)), withParents(ours.bundle(t, dir, tt.args...))
			if len(want) < 5 {
				t.Fatalf("only %d entries", len(want))
			}
			for _, name := range slices.Sorted(maps.Keys(merge(want, got))) {
				w, g := want[name], got[name]
				if strings.HasPrefix(name, "_source/") {
					// The first-party client writes all of them with mode 0644, and the
					// target in place of a link.
					if g.kind == tar.TypeSymlink {
						g = got[path.Join(path.Dir(name), g.link)]
					}
					w.exec, g.exec = false, false
				}
				if w != g {
					t.Errorf("%s: theirs %s, ours %s", name, w, g)
				}
			}
		})
	}
}

func merge(a, b map[string]entry) map[string]entry {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// TestBundlesOnPurpose has the cases in which the content differs, and why.
func TestBundlesOnPurpose(t *testing.T) {
	t.Parallel()
	theirs, ours := clients(t)
	for _, tt := range []struct {
		name   string
		tree   tree
		init   bool // a repository without a commit
		args   []string
		differ []string // the names that do
	}{
		{"a .git inside of an artifact is left out", tree{"_salt/a.sls": "a", "dep/.git/config": "c", "dep/f": "f"}, false, []string{"--artifact", "dep"}, []string{"_artifacts/dep/.git", "_artifacts/dep/.git/config"}},
		{"a repository without a commit has no .gitcommit", tree{"_salt/a.sls": "a"}, true, nil, []string{".gitcommit"}},
		{"links in the source stay links", tree{"_salt/a.sls": "a", "f": "f", "l": "->f", "d/x": "x", "e": "->d"}, false, []string{"--include-source", "fs"}, []string{"_source/e", "_source/l"}},
		{"empty directories of the source are kept", tree{"_salt/a.sls": "a", "f": "f", "d": "/"}, false, []string{"--include-source", "fs"}, []string{"_source/d"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := tt.tree.make(t)
			if tt.init {
				cmd := exec.CommandContext(t.Context(), "git", "init", "-q", dir)
				must(t, cmd.Run())
			}
			want, got := withParents(theirs.bundle(t, dir, tt.args...)), withParents(ours.bundle(t, dir, tt.args...))
			var differ []string
			for _, name := range slices.Sorted(maps.Keys(merge(want, got))) {
				if want[name] != got[name] {
					differ = append(differ, name)
				}
			}
			if !slices.Equal(differ, tt.differ) {
				t.Errorf("these differ: %q, want %q", differ, tt.differ)
			}
		})
	}
}

// TestStatuses: the exit statuses are equal, unless that of the first-party client is
// wrong or says less.
func TestStatuses(t *testing.T) {
	t.Parallel()
	theirs, ours := clients(t)
	ok := string(streams.Read("ok"))
	unfinished, _, _ := strings.Cut(ok, "event: highstate-finish")
	for _, tt := range []struct {
		name         string
		stream       string
		args         []string
		theirs, ours int
		why          string // they differ
	}{
		{"ok", ok, nil, 0, 0, ""},
		{"no highstate", string(streams.Read("no-highstate")), []string{"--no-highstate"}, 0, 0, ""},
		{"no minions", string(streams.Read("no-minions")), nil, 0, 0, ""},
		{"does not compile", string(streams.Read("render-failed")), nil, 1, 1, ""},
		{"no answer", string(streams.Read("minion-not-responding")), nil, 1, 1, ""},
		{"states failed", string(streams.Read("states-failed")), nil, 2, 1, "theirs is Salt's return code, ours one for any failed minion"},
		{"exception", string(streams.Read("exception")), nil, 1, 4, "ours tells the server's failure from a minion's"},
		{"failed state without retcode", strings.Replace(string(streams.Read("states-failed")), `, "retcode": 2, "jid"`, `, "jid"`, 1), nil, 0, 1, "theirs looks at the return code only"},
		{"a minion never reports", strings.Replace(ok, `"minions": ["web1"]`, `"minions": ["web1", "web2"]`, 1), nil, 0, 6, "theirs names it and succeeds"},
		{"the stream is cut", unfinished, nil, 0, 6, "theirs takes any end for the end"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if (tt.theirs == tt.ours) != (tt.why == "") {
				t.Fatal("a difference needs a reason, and a reason a difference")
			}
			dir := tree{"_salt/a.sls": "a"}.make(t)
			for c, want := range map[*client]int{&theirs: tt.theirs, &ours: tt.ours} {
				server := spirotest.New(t, spirotest.Options{})
				server.Replay([]byte(tt.stream))
				if got, out := c.run(t, dir, server.URL(), server.Token(time.Minute, "shop"), tt.args...); got != want {
					t.Errorf("%s: exit status %d, want %d\n%s", c.name, got, want, out)
				}
			}
		})
	}
	t.Run("refusals", func(t *testing.T) {
		t.Parallel()
		dir := tree{"_salt/a.sls": "a"}.make(t)
		server := spirotest.New(t, spirotest.Options{})
		// Ours does not send a token for another project.
		for token, want := range map[string]int{"bogus-token": 3, server.Token(time.Minute, "blog"): 2} {
			if got, out := theirs.run(t, dir, server.URL(), token); got != 1 {
				t.Errorf("theirs: %d\n%s", got, out) // a Python exception
			}
			if got, out := ours.run(t, dir, server.URL(), token); got != want {
				t.Errorf("ours: %d\n%s", got, out)
			}
		}
	})
}

// TestSpirotest: the first-party client works with our server.
func TestSpirotest(t *testing.T) {
	t.Parallel()
	theirs, _ := clients(t)
	server := spirotest.New(t, spirotest.Options{Minions: []spirotest.Minion{
		{ID: "web1"}, {ID: "web2", Delay: 50 * time.Millisecond},
	}})
	dir := project.make(t)
	status, out := theirs.run(t, dir, server.URL(), server.Token(time.Minute, "shop"), "--artifact", "build/eggs", "--include-source", "fs")
	if status != 0 || !strings.Contains(out, "2 minions reported of 2") {
		t.Errorf("exit status %d\n%s", status, out)
	}
	d, ok := server.Deployment("shop", "prod")
	if !ok {
		t.Fatal("nothing was deployed")
	}
	for _, name := range []string{"top.sls", "web/init.sls", "_artifacts/build/eggs/one.egg", "_source/main.go"} {
		if _, err := fs.Stat(d.FS(), name); err != nil {
			t.Error(err)
		}
	}
}
