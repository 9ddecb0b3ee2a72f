//go:build unix

// A step runs in a container, which the tests make with chroot.

package step_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/spirostack/spirodeploy/internal/module/step"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
)

// write makes a file, executable if its content is a script.
func write(t *testing.T, dir, name, content string) {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	mode := fs.FileMode(0o644)
	if strings.HasPrefix(content, "#!") {
		mode = 0o755
	}
	if err := os.WriteFile(file, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

// git runs git as nobody in particular.
func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull,
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@localhost", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@localhost")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, said)
	}
}

// project makes a project directory, in a repository if that is asked for.
func project(t *testing.T, repository bool) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "_salt/top.sls", "base: {}\n")
	write(t, dir, "_salt/web/init.sls", "x: test.nop\n")
	write(t, dir, "_salt/web/old.pyc", "\x00")
	write(t, dir, "src/main.go", "package main\n")
	write(t, dir, "src/long/"+strings.Repeat("n", 120)+"/ü.txt", "ü")
	write(t, dir, "run.sh", "#!/bin/sh\n")
	write(t, dir, "secret.txt", "not for the archive")
	write(t, dir, "commit.txt", "$Format:%H$")
	write(t, dir, ".gitattributes", "secret.txt export-ignore\ncommit.txt export-subst\n")
	write(t, dir, ".gitignore", "build/\n")
	write(t, dir, "build/app", "#!/bin/app\n")
	write(t, dir, "build/data/a", "a")
	if err := os.Symlink("main.go", filepath.Join(dir, "src", "link")); err != nil {
		t.Fatal(err)
	}
	if repository {
		git(t, dir, "init", "-q", "-b", "main")
		git(t, dir, "add", ".")
		git(t, dir, "commit", "-q", "-m", "one")
		git(t, dir, "tag", "v1")
		write(t, dir, "src/main.go", "package main // changed\n")
		git(t, dir, "commit", "-q", "-a", "-m", "two")
		git(t, dir, "gc", "-q")
		write(t, dir, "src/untracked.go", "package main\n")
	}
	return dir
}

// runner does a step whose container has a directory as its root.
type runner func(t *testing.T, root string, opts step.Options) (string, error)

func inProcess(t *testing.T, root string, opts step.Options) (string, error) {
	t.Helper()
	opts.Root = root
	var out bytes.Buffer
	err := step.Run(t.Context(), opts.JSON(), &out)
	return out.String(), err
}

func copyDir(t *testing.T, from, to string) {
	t.Helper()
	if said, err := exec.Command("cp", "-a", from, to).CombinedOutput(); err != nil {
		t.Fatalf("cp: %v\n%s", err, said)
	}
}

// bundleByStep does what the module's function bundle does.
func bundleByStep(t *testing.T, run runner, dir, built string, opts step.Options) (file string, err error) {
	t.Helper()
	root := t.TempDir()
	copyDir(t, dir, filepath.Join(root, step.ProjectDir))
	if built != "" {
		copyDir(t, built, filepath.Join(root, step.BuiltDir))
	}
	repository := filepath.Join(root, step.ProjectDir, ".git")
	if _, err := os.Stat(repository); err == nil {
		packing := t.TempDir()
		if err := os.Rename(repository, filepath.Join(packing, step.RepositoryDir)); err != nil {
			t.Fatal(err)
		}
		if _, err := run(t, packing, step.Options{Do: step.Pack}); err != nil {
			t.Fatal(err)
		}
		unpacked := filepath.Join(packing, "unpacked")
		if err := step.Unpack(filepath.Join(packing, step.OutputFile), unpacked); err != nil {
			t.Fatal(err)
		}
		commit, warnings, err := step.Commit(t.Context(), unpacked)
		if err != nil || len(warnings) > 0 {
			t.Fatalf("Commit: %v %v", warnings, err)
		}
		write(t, root, step.CommitFile, commit)
		if opts.Source == "git" {
			if _, err := step.Archive(t.Context(), unpacked, filepath.Join(root, step.ArchiveFile)); err != nil {
				t.Fatal(err)
			}
		}
	}
	opts.Do = step.Bundle
	_, err = run(t, root, opts)
	return filepath.Join(root, step.OutputFile), err
}

// digestOf returns the digest that the library finds in a file, which must be
// in the library's format.
func digestOf(t *testing.T, file string) string {
	t.Helper()
	f, err := bundle.OpenFile(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if w := f.Warnings(); len(w) > 0 {
		t.Errorf("the bundle is foreign: %v", w)
	}
	d, err := f.Digest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

// digestByLibrary returns the digest of the bundle that the library makes.
func digestByLibrary(t *testing.T, opts bundle.Options) string {
	t.Helper()
	b, err := bundle.New(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	d, err := b.Digest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

func TestSameBytesAsLibrary(t *testing.T) {
	t.Parallel()
	plain, repository, built := project(t, false), project(t, true), t.TempDir()
	write(t, built, "made/by/step", "#!")
	write(t, built, "other", "x")
	if err := os.Mkdir(filepath.Join(built, "empty"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		built string
		opts  step.Options
	}{
		"states":     {},
		"filesystem": {opts: step.Options{Source: "filesystem"}},
		"fs":         {opts: step.Options{Source: "fs", Exclude: []string{"*.pyc", "_source/src/long"}}},
		"git":        {opts: step.Options{Source: "git"}},
		"git and excludes": {opts: step.Options{
			Source: "git", Exclude: []string{"_source/src/*.go", "link", ".gitcommit"},
		}},
		"artifacts": {opts: step.Options{Artifacts: []string{"build/app", "data=build/data"}}},
		"built":     {built: built},
		"all": {built: built, opts: step.Options{
			Source: "git", Artifacts: []string{"build", "x=run.sh"}, Exclude: []string{"data"},
		}},
	} {
		for where, dir := range map[string]string{"plain": plain, "repository": repository} {
			if where == "plain" && test.opts.Source == "git" {
				continue
			}
			t.Run(name+" "+where, func(t *testing.T) {
				t.Parallel()
				runners := map[string]runner{"in process": inProcess, "executable": inContainer}
				for how, run := range runners {
					t.Run(how, func(t *testing.T) {
						t.Parallel()
						file, err := bundleByStep(t, run, dir, test.built, test.opts)
						if err != nil {
							t.Fatal(err)
						}
						got, want := digestOf(t, file), digestByLibrary(t, libraryOptions(t, dir, test.built, test.opts))
						if got != want {
							t.Errorf("the step's bundle is %s, the library's %s", got, want)
						}
					})
				}
			})
		}
	}
}

func libraryOptions(t *testing.T, dir, built string, opts step.Options) bundle.Options {
	t.Helper()
	source, err := bundle.ParseSource(opts.Source)
	if err != nil {
		t.Fatal(err)
	}
	lib := bundle.Options{Dir: dir, Source: source, Exclude: opts.Exclude}
	for _, a := range opts.Artifacts {
		lib.Artifacts = append(lib.Artifacts, bundle.ParseArtifact(dir, a))
	}
	if built != "" {
		lib.Artifacts = append(lib.Artifacts, bundle.Artifact{Path: built, Name: "."})
	}
	return lib
}

// program is the module's executable.
var program string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "spirodeploy-step-*")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		program = filepath.Join(dir, step.Program)
		return m.Run()
	}())
}

// inContainer runs the module's own executable as the engine does: with no git,
// no temporary directory and no environment, and in a root with nothing else in
// it where the test may make one.
func inContainer(t *testing.T, root string, opts step.Options) (string, error) {
	t.Helper()
	if err := build(); err != nil {
		t.Fatalf("build the module: %v", err)
	}
	cmd := exec.Command(program)
	if os.Getuid() == 0 {
		copyDir(t, program, filepath.Join(root, step.Program))
		cmd = exec.Command("/" + step.Program)
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root}
	} else {
		opts.Root = root
	}
	cmd.Dir = "/"
	cmd.Env = []string{step.Env + "=" + opts.JSON(), "TMPDIR=/nowhere"}
	var out, words bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &words
	if err := cmd.Run(); err != nil {
		return "", errors.New(strings.TrimSpace(words.String()))
	}
	return out.String(), nil
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write(t, root, step.ProjectDir+"/_salt/a", "")
	write(t, root, step.ProjectDir+"/_salt/A", "")
	write(t, root, step.ProjectDir+"/_salt/spirotop.sls", "prod: {'*': [gone]}\n")
	if entries, err := os.ReadDir(filepath.Join(root, step.ProjectDir, "_salt")); err != nil || len(entries) < 2 {
		t.Skip("the file system does not tell a from A")
	}
	out, err := inProcess(t, root, step.Options{Do: step.Bundle})
	if err != nil || out != "" {
		t.Errorf("a step with a warning prints %q, %v", out, err)
	}
	warnings, err := os.ReadFile(filepath.Join(root, step.WarningsFile))
	if err != nil || !strings.HasPrefix(string(warnings), "warning: ") || strings.Count(string(warnings), "\n") != 2 ||
		!strings.Contains(string(warnings), "\nwarning: _salt/spirotop.sls:1:14 names the SLS gone, and the bundle has neither") {
		t.Errorf("the warnings of a step are %q, %v", warnings, err)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	dir := project(t, false)
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "_salt", "leaves")); err != nil {
		t.Fatal(err)
	}
	for want, opts := range map[string]step.Options{
		"_salt/leaves":                        {Do: step.Bundle},
		"outside of the directory to bundle":  {Do: step.Bundle, Artifacts: []string{"x=/" + step.Program}},
		"with-artifact":                       {Do: step.Bundle, Artifacts: []string{"../x"}},
		`source "svn"`:                        {Do: step.Bundle, Source: "svn"},
		"read archive":                        {Do: step.Bundle, Source: "git"},
		`step "dance": there is no such step`: {Do: "dance"},
		"open bundle":                         {Do: step.Digest},
	} {
		for name, run := range map[string]runner{"in process": inProcess, "executable": inContainer} {
			t.Run(want+" "+name, func(t *testing.T) {
				t.Parallel()
				root := t.TempDir()
				copyDir(t, dir, filepath.Join(root, step.ProjectDir))
				_, err := run(t, root, opts)
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want %q", err, want)
				}
				if _, err := os.Stat(filepath.Join(root, step.OutputFile)); err == nil {
					t.Error("something half-made was left behind")
				}
			})
		}
	}
	if err := step.Run(t.Context(), "{", &bytes.Buffer{}); err == nil {
		t.Error("options that are no JSON are taken")
	}
}

// TestNamed: errors name what people gave, not where it is mounted.
func TestNamed(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		make func(root string)
		want string
	}{
		"nothing": {
			func(root string) { write(t, root, step.ProjectDir+"/README", "") },
			"nothing to bundle: dir has no _salt directory",
		},
		"states below": {
			func(root string) { write(t, root, step.ProjectDir+"/web/_salt/a.sls", "") },
			"there is one in web: did you mean --dir web?",
		},
		"a file": {
			func(root string) { write(t, root, step.ProjectDir, "") },
			"dir: project directory: is a file",
		},
		"what was built": {
			func(root string) {
				write(t, root, step.BuiltDir+"/a", "")
				if err := os.Symlink("/etc/passwd", filepath.Join(root, step.BuiltDir, "leaves")); err != nil {
					t.Fatal(err)
				}
				write(t, root, step.ProjectDir+"/_salt/a.sls", "")
			},
			"_artifacts/leaves: symbolic link to /etc/passwd",
		},
		"where a link leads": {
			func(root string) {
				write(t, root, step.ProjectDir+"/_salt/a.sls", "")
				if err := os.Symlink("/project/a", filepath.Join(root, step.ProjectDir, "_salt", "leaves")); err != nil {
					t.Fatal(err)
				}
			},
			"_salt/leaves: symbolic link to /project/a leaves",
		},
	} {
		for how, run := range map[string]runner{"in process": inProcess, "executable": inContainer} {
			t.Run(name+" "+how, func(t *testing.T) {
				t.Parallel()
				root := t.TempDir()
				test.make(root)
				_, err := run(t, root, step.Options{Do: step.Bundle})
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("error %v, want %q", err, test.want)
				}
				if err != nil && strings.Contains(err.Error(), root) {
					t.Errorf("the error names the place in the container: %v", err)
				}
			})
		}
	}
}

// TestBorrowed: what a repository lacks that shares objects with another is told.
func TestBorrowed(t *testing.T) {
	t.Parallel()
	of := project(t, true)
	dir := filepath.Join(t.TempDir(), "clone")
	git(t, t.TempDir(), "clone", "-q", "--shared", of, dir)
	root := t.TempDir()
	copyDir(t, filepath.Join(dir, ".git"), filepath.Join(root, step.RepositoryDir))
	if _, err := inProcess(t, root, step.Options{Do: step.Pack}); err != nil {
		t.Fatal(err)
	}
	// In the engine, the other repository is not there.
	if err := os.RemoveAll(of); err != nil {
		t.Fatal(err)
	}
	unpacked := t.TempDir()
	if err := step.Unpack(filepath.Join(root, step.OutputFile), unpacked); err != nil {
		t.Fatal(err)
	}
	_, warnings, err := step.Commit(t.Context(), unpacked)
	if err != nil || len(warnings) == 0 || !strings.Contains(warnings[len(warnings)-1].String(), "git repack -a -d") {
		t.Errorf("Commit of a repository that borrows objects warns %v, %v", warnings, err)
	}
	_, err = step.Archive(t.Context(), unpacked, filepath.Join(t.TempDir(), "x"))
	if err == nil || !strings.Contains(err.Error(), "git repack -a -d") {
		t.Errorf("Archive of a repository that borrows objects: %v", err)
	}
}

// TestCheck: all that keeps a project from being deployed is told at once.
func TestCheck(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		files    map[string]string
		opts     step.Options
		problems []string
		warnings []string
	}{
		"right": {
			files: map[string]string{"_salt/spirotop.sls": "prod: {'*': [web]}\n", "_salt/web.sls": "x: test.nop\n"},
		},
		"everything wrong": {
			files: map[string]string{
				"_salt/spirotop.sls": "prod: {'*': [wbe]}\nstaging: {'*': [web, db]}\n", "_salt/web.sls": "x: test.nop\n", "_salt/leaves": "->/etc/passwd",
			},
			opts: step.Options{Artifacts: []string{"../x"}},
			problems: []string{
				"4 problems:", "_salt/leaves", "../x: artifact: outside of the directory to bundle",
				"_salt/spirotop.sls:1:14 names the SLS wbe", "_salt/spirotop.sls:2:22 names the SLS db",
			},
		},
		"a tree that cannot be bundled": {
			files:    map[string]string{"_salt/spirotop.sls": "prod: {'*': [wbe]}\n", "_salt/web.sls": "x: test.nop\n", "_salt/leaves": "->/etc/passwd"},
			problems: []string{"2 problems:", "_salt/leaves: symbolic link to /etc/passwd", "did you mean web?"},
		},
		"no YAML": {
			files:    map[string]string{"_salt/spirotop.sls": "prod: {'*': [web}\n", "_salt/web.sls": "x: test.nop\n"},
			problems: []string{"_salt/spirotop.sls:1:", "the server cannot read this"},
		},
		"a pipe in place of the top file": {
			files:    map[string]string{"_salt/spirotop.sls": "|", "_salt/web.sls": "x: test.nop\n"},
			problems: []string{"2 problems:", "_salt/spirotop.sls: is a named pipe", "_salt/spirotop.sls cannot be read"},
		},
		"no states": {
			files:    map[string]string{"README": ""},
			problems: []string{"nothing to bundle: dir has no _salt directory"},
		},
		"no top file": {
			files:    map[string]string{"_salt/web.sls": "x: test.nop\n"},
			warnings: []string{"warning: the bundle has no _salt/spirotop.sls"},
		},
		"an artifact that is not built": {
			files: map[string]string{
				"_salt/spirotop.sls": "prod: {'*': [web]}\n",
				"_salt/web.sls":      "x:\n  file.managed:\n    - source: salt://_artifacts/data\n", "data": "is there",
			},
			opts:     step.Options{Artifacts: []string{"build/app", "data"}},
			warnings: []string{"warning: build/app: artifact: it is not there"},
		},
		"what is left out is not there": {
			files:    map[string]string{"_salt/spirotop.sls": "prod: {'*': [web]}\n", "_salt/web.sls": "x: test.nop\n"},
			opts:     step.Options{Exclude: []string{"web.sls"}},
			problems: []string{"names the SLS web"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			for file, content := range test.files {
				file = step.ProjectDir + "/" + file
				if err := os.MkdirAll(filepath.Join(root, filepath.Dir(file)), 0o755); err != nil {
					t.Fatal(err)
				}
				switch target, link := strings.CutPrefix(content, "->"); {
				case link:
					if err := os.Symlink(target, filepath.Join(root, file)); err != nil {
						t.Fatal(err)
					}
				case content == "|":
					if err := syscall.Mkfifo(filepath.Join(root, file), 0o644); err != nil {
						t.Fatal(err)
					}
				default:
					write(t, root, file, content)
				}
			}
			test.opts.Do = step.Check
			out, err := inProcess(t, root, test.opts)
			if (err != nil) != (len(test.problems) > 0) || out != "" {
				t.Fatalf("printed %q, %v", out, err)
			}
			for _, words := range test.problems {
				if !strings.Contains(err.Error(), words) {
					t.Errorf("%q is not in: %v", words, err)
				}
			}
			warnings, err := os.ReadFile(filepath.Join(root, step.WarningsFile))
			if err != nil || strings.Count(string(warnings), "\n") != len(test.warnings) {
				t.Errorf("warnings %q, %v", warnings, err)
			}
			for _, words := range test.warnings {
				if !strings.Contains(string(warnings), words) {
					t.Errorf("%q is not in the warnings %q", words, warnings)
				}
			}
		})
	}
}

// TestCommit is about repositories that have no commit, or are none.
func TestCommit(t *testing.T) {
	t.Parallel()
	empty := t.TempDir()
	git(t, empty, "init", "-q")
	if commit, warnings, err := step.Commit(t.Context(), empty); commit != "" || len(warnings) > 0 || err != nil {
		t.Errorf("of a repository without commits, Commit = %q, %v, %v", commit, warnings, err)
	}
	dir := project(t, true)
	write(t, dir, ".git/config", "[core")
	commit, warnings, err := step.Commit(t.Context(), dir)
	if commit != "" || len(warnings) != 1 || err != nil || !strings.Contains(warnings[0].String(), "config") {
		t.Errorf("of a damaged repository, Commit = %q, %v, %v", commit, warnings, err)
	}
	if _, err := step.Archive(t.Context(), dir, filepath.Join(t.TempDir(), "x")); err == nil {
		t.Error("Archive of a damaged repository succeeds")
	}
}

func TestUnpackStaysInside(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write(t, root, step.RepositoryDir+"/HEAD", "ref: refs/heads/main\n")
	write(t, root, step.RepositoryDir+"/hooks/pre-commit", "#!/bin/sh\n")
	write(t, root, step.RepositoryDir+"/index", "x")
	if err := os.Symlink("/etc", filepath.Join(root, step.RepositoryDir, "link")); err != nil {
		t.Fatal(err)
	}
	if _, err := inProcess(t, root, step.Options{Do: step.Pack}); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := step.Unpack(filepath.Join(root, step.OutputFile), dir); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(filepath.Join(dir, ".git"))
	if err != nil || len(entries) != 1 || entries[0].Name() != "HEAD" {
		t.Errorf("unpacked %v, %v; want HEAD alone", entries, err)
	}
	if err := step.Unpack(escaping(t), t.TempDir()); err == nil {
		t.Error("a name that leads out is unpacked")
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	dir := project(t, false)
	one, err := bundleByStep(t, inProcess, dir, "", step.Options{Exclude: []string{"*.pyc"}})
	if err != nil {
		t.Fatal(err)
	}
	two, err := bundleByStep(t, inProcess, dir, "", step.Options{Artifacts: []string{"a\nb=build/app"}, Exclude: []string{"top.sls"}})
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	copyDir(t, one, filepath.Join(root, step.OldFile))
	copyDir(t, two, filepath.Join(root, step.InputFile))
	for kind, want := range map[step.Kind]string{
		step.Digest:   digestOf(t, two) + "\n",
		step.Diff:     "+ _artifacts\n+ _artifacts/",
		step.Manifest: `x _artifacts/a\nb`,
	} {
		out, err := inProcess(t, root, step.Options{Do: kind})
		if err != nil || !strings.Contains(out, want) {
			t.Errorf("%s prints %q, %v; want %q in it", kind, out, err, want)
		}
	}
	copyDir(t, one, filepath.Join(root, step.InputFile))
	if out, err := inProcess(t, root, step.Options{Do: step.Diff}); err != nil || out != "" {
		t.Errorf("diff of one bundle with itself prints %q, %v", out, err)
	}
	write(t, root, step.InputFile, "no tar")
	for _, kind := range []step.Kind{step.Digest, step.Manifest, step.Diff} {
		if _, err := inProcess(t, root, step.Options{Do: kind}); err == nil {
			t.Errorf("%s reads what is no tar", kind)
		}
	}
}

func TestManifestWarns(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	copyDir(t, escaping(t), filepath.Join(root, step.InputFile))
	out, err := inProcess(t, root, step.Options{Do: step.Manifest})
	if err != nil || !strings.Contains(out, "warning: not safe to send: ../x") {
		t.Errorf("manifest prints %q, %v", out, err)
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	copyDir(t, project(t, false), filepath.Join(root, step.ProjectDir))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := step.Run(ctx, step.Options{Do: step.Bundle, Root: root}.JSON(), &bytes.Buffer{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Run with a cancelled context: %v", err)
	}
}
