package bundle_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
)

// repository makes a repository with one commit of these nodes, or none of none.
func repository(tb testing.TB, nodes ...node) string {
	tb.Helper()
	need(tb, "git")
	dir := project(tb, nodes...)
	run(tb, dir, "git", "init", "-q", "-b", "main")
	if len(nodes) > 0 {
		commit(tb, dir)
	}
	return dir
}

func commit(tb testing.TB, dir string) {
	tb.Helper()
	run(tb, dir, "git", "add", "-A")
	run(tb, dir, "git", "commit", "-q", "-m", "message")
}

func TestGitCommit(t *testing.T) {
	t.Parallel()
	top := node{'f', "_salt/top.sls", "x"}
	for _, tt := range []struct {
		name     string
		dir      func(t *testing.T) string
		describe bundle.Describe
		exclude  string
		want     string // after the hash; "-" is no file
	}{
		{"no repository", func(t *testing.T) string { return project(t, top) }, "", "", "-"},
		{"no commit", func(t *testing.T) string {
			dir := repository(t)
			plant(t, dir, top)
			return dir
		}, "", "", "-"},
		{"branch", func(t *testing.T) string { return repository(t, top) }, "", "", "\nheads/main"},
		{"all", func(t *testing.T) string { return repository(t, top) }, bundle.DescribeAll, "", "\nheads/main"},
		{"off", func(t *testing.T) string { return repository(t, top) }, bundle.DescribeOff, "", "\n"},
		{"no tag", func(t *testing.T) string { return repository(t, top) }, bundle.DescribeTags, "", "\n"},
		{"tag", func(t *testing.T) string {
			dir := repository(t, top)
			run(t, dir, "git", "tag", "v1.2")
			plant(t, dir, node{'f', "more", ""})
			commit(t, dir)
			return dir
		}, bundle.DescribeTags, "", "\nv1.2-1-g"},
		{"subdirectory", func(t *testing.T) string {
			return filepath.Join(repository(t, node{'f', "sub/_salt/top.sls", "x"}), "sub")
		}, "", "", "\nheads/main"},
		{"excluded", func(t *testing.T) string { return repository(t, top) }, "", bundle.GitCommitFile, "-"},
		{"not committed", func(t *testing.T) string {
			dir := repository(t, node{'f', "other", "x"})
			plant(t, dir, top)
			return dir
		}, "", "", "\nheads/main"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			opts := bundle.Options{Dir: tt.dir(t), GitDescribe: tt.describe}
			if tt.exclude != "" {
				opts.Exclude = []string{tt.exclude}
			}
			data, b := build(t, opts)
			if w := b.Warnings(); len(w) > 0 {
				t.Errorf("warnings: %v", w)
			}
			got, _ := strings.CutSuffix(listing(t, data), "644 top.sls = \"x\"\n")
			if tt.want == "-" {
				equal(t, "listing", got, "")
				return
			}
			line := "644 .gitcommit = " + quoted(strings.TrimSpace(run(t, opts.Dir, "git", "rev-parse", "HEAD"))+tt.want)
			if strings.HasSuffix(tt.want, "-g") {
				line = strings.TrimSuffix(line, `"`)
				got = got[:min(len(got), len(line))]
			} else {
				line += "\n"
			}
			equal(t, ".gitcommit", got, line)
		})
	}
}

func quoted(s string) string { return `"` + strings.ReplaceAll(s, "\n", `\n`) + `"` }

func TestGitCommitDuplicate(t *testing.T) {
	t.Parallel()
	dir := repository(t, node{'f', "_salt/.gitcommit", "x"})
	ps := problems(t, bundle.Options{Dir: dir})
	equal(t, "problem", ps.Error(), "_salt/.gitcommit: two entries of one path: .gitcommit is made from .gitcommit too (leave one of them out)")
}

// TestGitBroken are repositories that git cannot use: that is told, in its words.
// TestGitInTree: files of the project are no repository, although git could take them for one.
func TestGitInTree(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(repository(t, node{'f', "sub/_salt/top.sls", "x"}), "sub")
	other := repository(t, node{'f', "evil", "x"})
	check(t, os.CopyFS(dir, os.DirFS(filepath.Join(other, ".git"))))
	run(t, dir, "git", "config", "--file", "config", "core.bare", "true")
	if exec.Command("git", "-C", dir, "-c", "safe.bareRepository=explicit", "rev-parse", "HEAD").Run() == nil {
		t.Skip("git is older than 2.38")
	}
	_, b := build(t, bundle.Options{Dir: dir})
	if warnings := fmt.Sprint(b.Warnings()); b.Commit() != "" || !strings.Contains(warnings, "left out, since git failed: ") || !strings.Contains(warnings, "bare repository") {
		t.Errorf("commit %q, warnings %s", b.Commit(), warnings)
	}
	if ps := problems(t, bundle.Options{Dir: dir, Source: bundle.Git}); !strings.Contains(ps.Error(), "git archive HEAD: ") || !strings.Contains(ps.Error(), "bare repository") {
		t.Error(ps)
	}
}

func TestGitBroken(t *testing.T) {
	t.Parallel()
	need(t, "git")
	for content, want := range map[string]string{
		"gitdir: nowhere": "fatal: not a git repository: ",
		"nonsense":        "fatal: invalid gitfile format",
	} {
		_, b := build(t, bundle.Options{Dir: project(t, node{'f', "_salt/top.sls", "x"}, node{'f', ".git", content})})
		if w := b.Warnings(); len(w) != 1 || !strings.HasPrefix(w[0].String(), ".gitcommit: left out, since git failed: "+want) {
			t.Errorf("warnings: %v, want %s", w, want)
		}
	}
}

func TestNoGit(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	dir := project(t, node{'f', "_salt/top.sls", "x"}, node{'d', ".git", ""})
	_, b := build(t, bundle.Options{Dir: dir})
	if w := b.Warnings(); len(w) != 1 || w[0].String() != "no git binary was found: the bundle will have no .gitcommit" {
		t.Errorf("warnings: %v", w)
	}
	ps := problems(t, bundle.Options{Dir: dir, Source: bundle.Git})
	equal(t, "problem", ps.Error(), "git archive HEAD: no git binary was found")
}

// TestGitDies is a git that ends by a signal, or breaks off in the middle.
func TestGitDies(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the git of this test is a shell script")
	}
	for _, tt := range []struct{ name, script, warning, problem string }{
		{
			"killed", "kill -9 $$",
			".gitcommit: left out, since git failed: signal: killed", "git archive HEAD: signal: killed",
		},
		{
			"breaks off", `for a; do [ "$a" = archive ] && { printf %0600d 0; printf 'fatal: bad object' >&2; exit 128; }; done; exit 1`,
			"", "git archive HEAD: fatal: bad object",
		},
		{
			"breaks off without a word", `for a; do [ "$a" = archive ] && { printf %0100d 0; exit 128; }; done; exit 1`,
			"", "git archive HEAD: exit status 128",
		},
		{
			"says nonsense", `for a; do [ "$a" = archive ] && { echo hint >&2; head -c 2048 /dev/zero | tr '\0' x; exit 0; }; done; exit 1`,
			"", "git archive HEAD: archive/tar: invalid tar header",
		},
		{
			"gets no token", `[ -z "$SPIRO_TOKEN" ] && exit 1; kill -9 $$`, "", "",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := t.TempDir()
			plant(t, path, node{'x', "git", "#!/bin/sh\n" + tt.script + "\n"})
			t.Setenv("PATH", path+string(os.PathListSeparator)+os.Getenv("PATH"))
			t.Setenv("SPIRO_TOKEN", "secret")
			dir := project(t, node{'f', "_salt/top.sls", "x"})
			_, b := build(t, bundle.Options{Dir: dir})
			var warning string
			for _, w := range b.Warnings() {
				warning += w.String()
			}
			equal(t, "warning", warning, tt.warning)
			if tt.problem != "" {
				equal(t, "problem", problems(t, bundle.Options{Dir: dir, Source: bundle.Git}).Error(), tt.problem)
			}
		})
	}
}

// TestGitMoves: a commit that is made between the questions to git does not give a bundle of
// two commits.
func TestGitMoves(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the git of this test is a shell script")
	}
	dir := repository(t, node{'f', "a", "x"})
	git, path := need(t, "git"), t.TempDir()
	run(t, dir, git, "config", "user.name", "A")
	run(t, dir, git, "config", "user.email", "a@example.com")
	plant(t, path, node{'x', "git", `#!/bin/sh
for a; do
  if [ "$a" = archive ]; then
    turns=0
    while [ ! -e "` + path + `/asked" ]; do
      turns=$((turns + 1))
      if [ $turns -gt 6000 ]; then exit 1; fi
      sleep 0.01
    done
    ` + git + ` commit -q --allow-empty -m moved
  fi
done
` + git + ` "$@"
status=$?
case "$*" in *"rev-parse --verify"*) : > "` + path + `/asked";; esac
exit $status
`})
	t.Setenv("PATH", path+string(os.PathListSeparator)+os.Getenv("PATH"))
	ps := problems(t, bundle.Options{Dir: dir, Source: bundle.Git})
	if len(ps) != 1 || !errors.Is(ps, bundle.ErrChanged) || !strings.Contains(ps.Error(), "_source: changed since the tree was walked: it is of the commit ") {
		t.Errorf("problems: %v", ps)
	}
	// Nothing is wrong with a commit of another repository, or one that the caller names.
	build(t, bundle.Options{Dir: dir, Source: bundle.Git, Files: map[string][]byte{bundle.GitCommitFile: []byte("given\n")}})
	other := repository(t, node{'f', "b", "x"})
	build(t, bundle.Options{Dir: dir, Source: func(ctx context.Context, _ string, skip func(string) bool) iter.Seq2[bundle.Entry, error] {
		return bundle.Git(ctx, other, skip)
	}})
}

func TestGitSource(t *testing.T) {
	t.Parallel()
	dir := repository(
		t,
		node{'f', ".gitattributes", "ignored export-ignore\nversion export-subst\n*.md text\n"},
		node{'f', ".gitignore", "*.log\n"},
		node{'f', "README.md", "one\ntwo\n"},
		node{'f', "_salt/top.sls", "x"},
		node{'f', "größe", "umlaut"},
		node{'f', "ignored/file", "x"},
		node{'f', "lib/_salt/x", "x"},
		node{'f', "lib/empty", ""},
		node{'f', "lib/" + deep, "pax"},
		node{'l', "lib/link", "../run"},
		node{'l', "lib/_salt-link", "empty"},
		node{'x', "run", "#!/bin/sh\n"},
		node{'f', "version", "$Format:%s$\n"},
	)
	plant(t, dir, node{'f', "untracked", "x"}, node{'f', "x.log", "x"}, node{'f', "README.md", "not committed"})
	want := `755 _source/
644 _source/.gitattributes = "ignored export-ignore\nversion export-subst\n*.md text\n"
644 _source/.gitignore = "*.log\n"
644 _source/README.md = "one\ntwo\n"
644 _source/größe = "umlaut"
755 _source/lib/
644 _source/lib/_salt-link -> empty
644 _source/lib/empty = ""
644 _source/lib/link -> ../run
644 _source/lib/` + deep + ` = "pax"
755 _source/run = "#!/bin/sh\n"
644 _source/version = "message\n"
644 top.sls = "x"
`
	exclude := []string{bundle.GitCommitFile}
	data, _ := build(t, bundle.Options{Dir: dir, Source: bundle.Git, Exclude: exclude})
	equal(t, "listing", listing(t, data), want)

	data, _ = build(t, bundle.Options{Dir: filepath.Join(dir, "lib"), Source: bundle.Git, Exclude: append(exclude, "link", "_source/x*")})
	equal(t, "listing of a subdirectory", listing(t, data), "755 _source/\n"+
		"644 _source/_salt-link -> empty\n644 _source/empty = \"\"\n644 x = \"x\"\n")
}

// TestGitSourceOmits: a token's file that was committed is left out all the same.
func TestGitSourceOmits(t *testing.T) {
	t.Parallel()
	dir := repository(t, node{'f', "a", "x"}, node{'f', "lib/token", "secret"}, node{'l', "link", "lib/token"})
	for _, omit := range []string{"lib/token", "link"} {
		data, _ := build(t, bundle.Options{
			Dir: dir, Source: bundle.Git, Exclude: []string{bundle.GitCommitFile, "_source/link"}, Omit: []string{filepath.Join(dir, omit)},
		})
		equal(t, "listing without "+omit, listing(t, data), "755 _source/\n644 _source/a = \"x\"\n755 _source/lib/\n")
	}
}

// TestGitSettings are those of a user, machine or clone that change what "git
// archive" writes.
func TestGitSettings(t *testing.T) {
	dir := repository(
		t, node{'f', ".gitattributes", "* text=auto\nhash export-subst\n"}, node{'f', "a", "one\ntwo\n"}, node{'x', "run", "x"},
		node{'f', "hash", "$Format:%h %s$\n"}, node{'f', "lib/b", "one\ntwo\n"},
	)
	want, _ := build(t, bundle.Options{Dir: dir, Source: bundle.Git})
	below, _ := build(t, bundle.Options{Dir: filepath.Join(dir, "lib"), Source: bundle.Git})
	same := func(what string) {
		t.Helper()
		got, b := build(t, bundle.Options{Dir: dir, Source: bundle.Git})
		equal(t, "with "+what, listing(t, got), listing(t, want))
		if w := b.Warnings(); len(w) > 0 {
			t.Errorf("with %s: warnings: %v", what, w)
		}
		got, _ = build(t, bundle.Options{Dir: filepath.Join(dir, "lib"), Source: bundle.Git})
		equal(t, "of a directory, with "+what, listing(t, got), listing(t, below))
	}
	attributes := filepath.Join(t.TempDir(), "attributes")
	const others = "* eol=crlf\nrun export-ignore\na export-ignore\n"
	check(t, os.WriteFile(attributes, []byte(others), 0o644))
	for _, settings := range []string{
		"[core]\nautocrlf = true", "[core]\neol = crlf", "[tar]\numask = 0777", "[tar]\numask = user",
		"[core]\nattributesFile = " + attributes, "[core]\nabbrev = 11", "[core]\nbigFileThreshold = 1", "[i18n]\nlogOutputEncoding = UTF-16",
	} {
		config := filepath.Join(t.TempDir(), "gitconfig")
		check(t, os.WriteFile(config, []byte(settings), 0o644))
		t.Setenv("GIT_CONFIG_GLOBAL", config)
		same(settings)
	}
	t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	run(t, dir, "git", "config", "core.attributesFile", attributes)
	same("attributes of the clone's configuration")
	t.Setenv("GIT_ATTR_SOURCE", "HEAD^{tree}")
	same("GIT_ATTR_SOURCE")
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	for _, text := range []string{"", "# nothing\n\n", others} {
		check(t, os.MkdirAll(filepath.Join(dir, ".git/info"), 0o755))
		check(t, os.WriteFile(filepath.Join(dir, ".git/info/attributes"), []byte(text), 0o644))
		same("info/attributes " + text)
	}
	tree := filepath.Join(t.TempDir(), "tree")
	run(t, dir, "git", "worktree", "add", "-q", "--detach", tree)
	got, _ := build(t, bundle.Options{Dir: tree, Source: bundle.Git, Exclude: []string{bundle.GitCommitFile}})
	_, without, _ := strings.Cut(listing(t, want), "\n") // .gitcommit
	equal(t, "in another work tree", listing(t, got), without)
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	plant(t, dir, node{'f', "a", "replaced"})
	run(t, dir, "git", "checkout", "-q", "-b", "other")
	commit(t, dir)
	run(t, dir, "git", "replace", "main", "other")
	run(t, dir, "git", "checkout", "-q", "-f", "main")
	same("a commit in place of this one")
}

// TestGitRelativeTemporary: git runs in another directory than this process.
func TestGitRelativeTemporary(t *testing.T) {
	dir := repository(t, node{'f', "a", "x"})
	check(t, os.MkdirAll(filepath.Join(dir, ".git/info"), 0o755))
	check(t, os.WriteFile(filepath.Join(dir, ".git/info/attributes"), []byte("a export-ignore\n"), 0o644))
	t.Chdir(t.TempDir())
	check(t, os.Mkdir("tmp", 0o755))
	t.Setenv("TMPDIR", "tmp")
	data, _ := build(t, bundle.Options{Dir: dir, Source: bundle.Git, Exclude: []string{bundle.GitCommitFile}})
	equal(t, "listing", listing(t, data), "755 _source/\n644 _source/a = \"x\"\n")
	if left, err := os.ReadDir("tmp"); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestGitFilters that the commit's own attributes name run, as Git LFS needs it.
func TestGitFilters(t *testing.T) {
	t.Parallel()
	dir := repository(t, node{'f', ".gitattributes", "*.txt filter=upper\n"}, node{'f', "a.txt", "text"}, node{'f', "b", "text"})
	run(t, dir, "git", "config", "filter.upper.smudge", "tr a-z A-Z")
	data, _ := build(t, bundle.Options{Dir: dir, Source: bundle.Git, Exclude: []string{bundle.GitCommitFile, ".gitattributes"}})
	equal(t, "listing", listing(t, data), "755 _source/\n644 _source/a.txt = \"TEXT\"\n644 _source/b = \"text\"\n")
}

// TestGitWarnings are about what a commit alone does not give.
func TestGitWarnings(t *testing.T) {
	t.Parallel()
	const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
	other := repository(t, node{'f', "x", "x"})
	dir := repository(
		t,
		node{'f', ".gitattributes", "sub/refs export-subst\nhash export-subst\nage export-subst\n"},
		node{'f', "sub/refs", "$Format:%H%d$\n"}, node{'f', "hash", "$Format:%H %ad %cI$\n"}, node{'f', "age", "$Format:%cr$\n"}, node{'f', "untouched", "$Format:%d$\n"},
		node{'f', "sub/large.bin", pointer}, node{'f', "about-lfs", pointer + strings.Repeat("x", 1024)}, node{'f', "vendor/large.bin", pointer},
	)
	run(t, dir, "git", "-c", "protocol.file.allow=always", "submodule", "add", "-q", other, "sub/module")
	commit(t, dir)
	warnings := func(dir string, exclude ...string) string {
		_, b := build(t, bundle.Options{Dir: dir, Source: bundle.Git, Exclude: exclude})
		var text strings.Builder
		for _, w := range b.Warnings() {
			about, _, _ := strings.Cut(w.String(), ",")
			text.WriteString(about + "\n")
		}
		return text.String()
	}
	equal(t, "warnings", warnings(dir), `sub/large.bin: is a pointer of Git LFS
vendor/large.bin: is a pointer of Git LFS
sub/module: is a submodule
age: has a placeholder of export-subst for refs
sub/refs: has a placeholder of export-subst for refs
`)
	equal(t, "warnings of a directory", warnings(filepath.Join(dir, "sub")), `large.bin: is a pointer of Git LFS
module: is a submodule
`) // attributes of a directory above it do not count there
	equal(t, "warnings without what is left out", warnings(dir, "vendor", "_source/sub/*", "age"), "")
}

// TestGitExclude leaves out a directory: git names what is in it one by one.
func TestGitExclude(t *testing.T) {
	t.Parallel()
	dir := repository(t, node{'f', "a", "x"}, node{'f', "vendor/b", "x"}, node{'f', "vendor/deep/er/c", "x"}, node{'f', "lib/vendor/d", "x"}, node{'f', "lib/vendored", "x"})
	for _, exclude := range []string{"vendor", "vendor/", "**/vendor"} {
		data, _ := build(t, bundle.Options{Dir: dir, Source: bundle.Git, Exclude: []string{exclude, bundle.GitCommitFile}})
		equal(t, "listing", listing(t, data), "755 _source/\n644 _source/a = \"x\"\n755 _source/lib/\n644 _source/lib/vendored = \"x\"\n")
	}
	// A scanner may ask for none of it.
	scanned := of(bundle.Entry{Name: "vendor/b", Open: opens("")}, bundle.Entry{Name: "lib/vendor/x/d", Open: opens("")}, bundle.Entry{Name: "e", Open: opens("")})
	data, _ := build(t, bundle.Options{Dir: t.TempDir(), Scanners: []bundle.Scanner{scanned}, Exclude: []string{"vendor"}})
	equal(t, "listing", listing(t, data), "644 e = \"\"\n")
}

// fakeGit puts a shell script in the place of git.
func fakeGit(t *testing.T, script string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the git of this test is a shell script")
	}
	path := t.TempDir()
	plant(t, path, node{'x', "git", "#!/bin/sh\n" + script + "\n"})
	t.Setenv("PATH", path+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// TestGitLeavesSomethingRunning: what git starts holds its output open, and is not
// waited for.
func TestGitLeavesSomethingRunning(t *testing.T) {
	marks := t.TempDir()
	fakeGit(t, `mkfifo `+marks+`/$$; (read x <`+marks+`/$$) & case "$*" in
*archive*) printf %010240d 0 | tr 0 '\0';;
*rev-parse*HEAD) echo 0123;;
*) exit 1;;
esac`)
	t.Cleanup(func() {
		pipes, _ := filepath.Glob(filepath.Join(marks, "*"))
		for _, pipe := range pipes {
			if w, err := os.OpenFile(pipe, os.O_RDWR, 0); err == nil {
				_, _ = w.WriteString("end\n")
				_ = w.Close()
			}
		}
	})
	ends(t, func() {
		b, err := bundle.New(t.Context(), bundle.Options{Dir: project(t, node{'f', "_salt/a", "x"}), Source: bundle.Git})
		if err != nil {
			t.Error(err)
			return
		}
		defer b.Close()
		if b.Commit() != "0123\n" || len(b.Warnings()) > 0 {
			t.Errorf("commit %q, warnings %v", b.Commit(), b.Warnings())
		}
	})
}

// TestGitTalksMuch has git say more than anybody reads.
func TestGitTalksMuch(t *testing.T) {
	fakeGit(t, `head -c 50000000 /dev/zero | tr '\0' x >&2; exit 128`)
	dir := project(t, node{'f', "_salt/a", "x"})
	ps := problems(t, bundle.Options{Dir: dir, Source: bundle.Git})
	if n := len(ps.Error()); n < 1000 || n > 100_000 {
		t.Errorf("%d bytes are told", n)
	}
	_, b := build(t, bundle.Options{Dir: dir})
	if n := len(b.Warnings()[0].String()); n < 1000 || n > 100_000 {
		t.Errorf("%d bytes are a warning", n)
	}
}

// TestGitWithheld: git gets no variable that holds a token, whatever it is asked for.
func TestGitWithheld(t *testing.T) {
	seen := filepath.Join(t.TempDir(), "seen")
	fakeGit(t, `env >>`+seen+`; exit 1`)
	t.Setenv("SPIRO_TOKEN", "secret1")
	t.Setenv("TOKEN_OF_PROD", "secret2")
	t.Setenv("OTHER", "harmless")
	problems(t, bundle.Options{Dir: project(t, node{'f', "_salt/a", "x"}), Source: bundle.Git, Withhold: []string{"TOKEN_OF_PROD"}})
	text, err := os.ReadFile(seen)
	check(t, err)
	if strings.Contains(string(text), "secret") || !strings.Contains(string(text), "OTHER=harmless") || !strings.Contains(string(text), "GIT_NO_LAZY_FETCH=1") {
		t.Errorf("git is given\n%s", text)
	}
}

func TestGitSourceProblems(t *testing.T) {
	t.Parallel()
	git := func(dir string) string {
		return problems(t, bundle.Options{Dir: dir, Source: bundle.Git}).Error()
	}
	dir := repository(t, node{'f', "_salt/top.sls", "x"}, node{'l', "dangling", "nowhere"}, node{'l', "lib/out", "../../../etc"})
	equal(t, "links", git(dir), `2 problems:
  - dangling: symbolic link to nowhere dangles: there is no _source/nowhere in the bundle (to leave it out: bundle.Options.Exclude _source/dangling)
  - lib/out: symbolic link to ../../../etc leaves the bundle (to leave it out: bundle.Options.Exclude _source/lib/out)`)
	plant(t, dir, node{'f', "new/_salt/x", ""})
	for _, tt := range []struct{ dir, want string }{
		{project(t, node{'f', "_salt/x", ""}), "git archive HEAD: fatal: not a git repository (or any of the parent directories): .git"},
		{repository(t), "git archive HEAD: fatal: not a valid object name: HEAD"},
		{filepath.Join(dir, "new"), "git archive HEAD: fatal: current working directory is untracked"},
	} {
		equal(t, "problem", git(tt.dir), tt.want)
	}
}

func TestDescribeUnknown(t *testing.T) {
	t.Parallel()
	ps := problems(t, bundle.Options{Dir: project(t, node{'f', "_salt/x", ""}), GitDescribe: "always"})
	equal(t, "problem", ps.Error(), `git describe "always": not one of all, tags, off`)
}
