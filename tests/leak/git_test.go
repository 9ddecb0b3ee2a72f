package leak_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
)

const (
	realGitEnv = "LEAK_REAL_GIT" // the git that the fake one hands on to
	dumpEnv    = "LEAK_DUMP"     // the directory for what the fake one was given
)

// playGit is the main function of a git that writes down its input, and then runs the
// real git.
func playGit() int {
	given, err := json.Marshal([][]string{os.Args, os.Environ()})
	if err == nil {
		err = os.WriteFile(filepath.Join(os.Getenv(dumpEnv), fmt.Sprintf("%d.json", os.Getpid())), given, 0o600)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	cmd := exec.Command(os.Getenv(realGitEnv), os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return exit.ExitCode()
	case err != nil:
		return 1
	}
	return 0
}

// fakeGit returns an environment with the fake git, and the directory to which that
// writes its input.
func fakeGit(t *testing.T) (env []string, dump string) {
	t.Helper()
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("there is no git")
	}
	bin, dump := t.TempDir(), t.TempDir()
	self, err := os.Executable()
	if err == nil {
		err = os.Symlink(self, filepath.Join(bin, "git"))
	}
	if err != nil {
		t.Skip("the fake git cannot be put in place: ", err)
	}
	return []string{realGitEnv + "=" + git, dumpEnv + "=" + dump, "PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH")}, dump
}

// commit makes a repository of a directory, with everything that it contains.
func commit(t *testing.T, dir string) {
	t.Helper()
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}, {"-c", "user.name=Test", "-c", "user.email=test@example.org", "commit", "-q", "-m", "all"}} {
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v\n%s", args[0], err, out)
		}
	}
}

// TestGitAndBundle: wherever the token's file lies and whatever is packed, the token gets
// neither into processes that are started nor into the bundle.
func TestGitAndBundle(t *testing.T) {
	t.Parallel()
	for _, front := range fronts {
		for _, source := range []string{"", "fs", "git"} {
			for _, given := range []string{"environment", "file", "link"} {
				t.Run(strings.Join([]string{front.name, "source " + source, given}, "/"), func(t *testing.T) {
					t.Parallel()
					testGitAndBundle(t, front, source, given)
				})
			}
		}
	}
}

func testGitAndBundle(t *testing.T, front front, source, given string) {
	t.Helper()
	server := spirotest.New(t, spirotest.Options{Minions: []spirotest.Minion{{ID: "web1"}}})
	secret := server.Token(time.Hour, "shop")
	secrets := sent(t, secret)
	env, dump := fakeGit(t)
	dir := project(t)
	flags := map[string]string{"insecure": "", "server": server.URL(), "artifact": "built"}
	var known []string
	switch given {
	case "environment":
		env = append(env, "SPIRO_TOKEN="+secret)
	case "link":
		// The file has a second name, which no flag names as the token's.
		write(t, filepath.Join(dir, "built", "token"), secret)
		known = []string{filepath.Join(dir, "built", "token")}
		if err := os.Symlink(filepath.Join("built", "token"), filepath.Join(dir, "link")); err != nil {
			t.Skip(err)
		}
		flags["tokenFile"] = "link"
	default:
		write(t, filepath.Join(dir, "built", "token"), secret)
		known = []string{filepath.Join(dir, "built", "token")}
		flags["tokenFile"] = filepath.Join(".", "built", "token")
	}
	commit(t, dir)
	known = append(known, names(filepath.Join(dir, ".git"))...) // git packs what it is told to
	if source != "" {
		flags["source"] = source
	}
	j := front.job(t, "deploy", []string{"shop", "prod"}, flags)
	j.dir, j.env, j.secrets, j.known = dir, append(j.env, env...), secrets, known
	r := j.run(t)
	r.want(t, 0, "Success", secrets...)
	find := newSearch(secrets...)
	dumps := names(dump)
	if len(dumps) == 0 {
		t.Error("git was not run")
	}
	for _, path := range dumps {
		clean(t, "what git was given", find, []byte(read(t, path)))
	}
	d, ok := server.Deployment("shop", "prod")
	if !ok {
		t.Fatal("nothing was deployed")
	}
	err := fs.WalkDir(d.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			clean(t, "the bundle's "+name, find, []byte(read(t, filepath.Join(d.Dir, name))))
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
