package spirofs_test

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// everything makes a project with everything that a bundle can contain.
func everything(t *testing.T) string {
	t.Helper()
	long := strings.Repeat("long-", 21) + "name"                            // over 100 bytes
	deep := strings.Repeat("a-directory-with-a-name-of-39-bytes-in-it/", 7) // over 255 bytes with its file
	dir := project(t, map[string]string{
		"_salt/spirotop.sls": "prod:\n  'web1': [app]\n",
		"_salt/app.sls": `
everything:
  file.recurse:
    - name: {{ grains['root'] }}/everything
    - source: salt://files
    - include_empty: true
program:
  file.managed:
    - name: {{ grains['root'] }}/everything-program
    - source: salt://_artifacts/build/program
    - mode: '0755'
commit:
  file.managed:
    - name: {{ grains['root'] }}/everything-commit
    - source: salt://.gitcommit
`,
		"_salt/files/plain":                 "plain\n",
		"_salt/files/größe – 尺寸.txt":        "not ASCII\n",
		"_salt/files/with space and 'quote": "odd\n",
		"_salt/files/" + long:               "long\n",
		"_salt/files/" + deep + "end":       "deep\n",
		"_salt/files/empty-file":            "",
		"build/program":                     "#!/bin/sh\necho hello\n",
		"build/dir/sub/data":                strings.Repeat("data\x00\xff", 50_000),
		"elsewhere/notes":                   "notes\n",
		"main.go":                           "package main\n",
		"src/deep/file.go":                  "package deep\n",
		".gitignore":                        "build/\nelsewhere/\n",
	})
	for _, err := range []error{
		os.Chmod(filepath.Join(dir, "build", "program"), 0o755),
		os.Mkdir(filepath.Join(dir, "_salt", "empty"), 0o755),
		os.Mkdir(filepath.Join(dir, "_salt", "files", "empty"), 0o755),
		os.Symlink("plain", filepath.Join(dir, "_salt", "files", "link")),
		os.Symlink(filepath.Join("src", "deep", "file.go"), filepath.Join(dir, "link.go")),
		os.Symlink("deep", filepath.Join(dir, "src", "linked")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"init", "-q", "-b", "main"},
		{"add", "-A"},
		{"-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false", "commit", "-q", "-m", "all"},
	} {
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %q: %v\n%s", args, err, out)
		}
	}
	return dir
}

// TestEverything: everything that a bundle can contain arrives in the server's directory,
// and reaches a minion and its states through the master.
func TestEverything(t *testing.T) {
	t.Parallel()
	m := plain(t)
	for _, source := range []string{"git", "filesystem"} {
		dir := everything(t)
		args := []string{
			"--dir", dir, "--artifact", "build/program", "--artifact", "build/dir", "--artifact", "docs/notes=elsewhere/notes",
			"--include-source", source,
		}
		file := filepath.Join(t.TempDir(), "bundle.tar")
		run(t, command(t, m, "all", append(args, "--output", file)...)).check(t, 0)
		want := inTar(t, file)
		flags := slices.Concat(args, []string{"--insecure", "all", "prod"})
		if source == "git" { // the highstate once is enough
			flags = append(flags, "--no-highstate")
		}
		run(t, command(t, m, "all", flags...)).check(t, 0, "Success: all/prod deployed")
		got := inDir(t, m.DeploymentDir("all", "prod"))
		if got["top.sls"] == "" {
			t.Error("the server has made no top.sls")
		}
		delete(got, "top.sls")
		compare(t, "the server's directory, with the source from "+source, got, want)
	}

	// The master lists the files, and links to files as files.
	out, err := m.Runner(t.Context(), "fileserver.file_list", "saltenv=all/prod")
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	if err := json.Unmarshal(out, &listed); err != nil {
		t.Fatal(err)
	}
	files := served(t, m.DeploymentDir("all", "prod"))
	slices.Sort(listed)
	if want := slices.Sorted(maps.Keys(files)); !slices.Equal(listed, want) {
		t.Errorf("the master lists\n%q\nwant\n%q", listed, want)
	}

	// A minion gets each of them.
	if _, err := m.Call(t.Context(), "web1", "cp.cache_master", "saltenv=all/prod"); err != nil {
		t.Fatal(err)
	}
	compare(t, "the minion's cache", served(t, m.Cache("web1", "all", "prod")), files)
	fetched := filepath.Join(m.Root("web1"), "fetched")
	if _, err := m.Call(t.Context(), "web1", "cp.get_file", "salt://spirotop.sls?saltenv=all/prod", fetched); err != nil {
		t.Fatal(err)
	}
	if got, want := content(t, fetched), content(t, filepath.Join(m.DeploymentDir("all", "prod"), "spirotop.sls")); got != want {
		t.Errorf("cp.get_file brought %q, want %q", got, want)
	}

	// Its states have written their files.
	applied := served(t, filepath.Join(m.Root("web1"), "everything"))
	want := map[string]string{}
	for name, content := range files {
		if name, ok := strings.CutPrefix(name, "files/"); ok {
			want[name] = content
		}
	}
	compare(t, "what the states wrote", applied, want)
	info, err := os.Stat(filepath.Join(m.Root("web1"), "everything-program"))
	if err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("the program on the minion: %v, %v", info, err)
	}
	if commit := content(t, filepath.Join(m.Root("web1"), "everything-commit")); !strings.HasSuffix(commit, "\nheads/main") {
		t.Errorf("the commit on the minion is %q", commit)
	}
}

// inTar describes the entries of a tar.
func inTar(t *testing.T, file string) map[string]string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	entries := map[string]string{}
	for r := tar.NewReader(f); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return entries
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		entries[path.Clean(header.Name)] = describe(header.FileInfo().Mode(), header.Linkname, content)
	}
}

// inDir describes the entries below a directory.
func inDir(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries := map[string]string{}
	walk(t, dir, func(name string, mode fs.FileMode) {
		link, _ := os.Readlink(filepath.Join(dir, name)) // it has no target if it is not a link
		var text []byte
		if mode.IsRegular() {
			text = []byte(content(t, filepath.Join(dir, name)))
		}
		entries[name] = describe(mode, link, text)
	})
	return entries
}

// served returns what Salt serves of a directory: files and links to files, with their
// content.
func served(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	walk(t, dir, func(name string, _ fs.FileMode) {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && !info.IsDir() {
			files[name] = content(t, filepath.Join(dir, name))
		}
	})
	return files
}

func walk(t *testing.T, dir string, see func(name string, mode fs.FileMode)) {
	t.Helper()
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || file == dir {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, file)
		see(filepath.ToSlash(name), info.Mode())
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func describe(mode fs.FileMode, link string, content []byte) string {
	switch {
	case mode.IsDir():
		return "directory"
	case mode&fs.ModeSymlink != 0:
		return "link to " + link
	}
	return fmt.Sprintf("file, executable %t: %q", mode&0o100 != 0, content)
}

func compare(t *testing.T, what string, got, want map[string]string) {
	t.Helper()
	if len(want) == 0 {
		t.Errorf("%s: nothing to compare with", what)
	}
	all := maps.Clone(got)
	maps.Copy(all, want)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		g, inGot := got[name]
		w, inWant := want[name]
		if g != w || inGot != inWant {
			t.Errorf("%s: %q is there %t: %.200q\nwant %t: %.200q", what, name, inGot, g, inWant, w)
		}
	}
}
