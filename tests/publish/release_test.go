package publish_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"debug/macho"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

const released = "v0.1.0-test.1"

// git runs git without the user's configuration.
func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

// clone clones a repository, and tags the commit that is checked out.
func clone(t *testing.T, from, to string, tags ...string) {
	t.Helper()
	git(t, "", "clone", "--quiet", "--no-tags", from, to)
	for _, tag := range tags {
		git(t, to, "tag", tag)
	}
}

// build makes a release in a clone, as "go tool mage release" does.
func build(ctx context.Context, dir string, env ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "tool", "-modfile=internal/dev/release/go.mod", "goreleaser", "release", "--clean", "--skip=publish")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestRelease makes a release twice, from clones in directories of different names and
// with other tags, compares both and looks into them.
func TestRelease(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it builds goreleaser, and the command for six platforms")
	}
	top, err := root()
	if err != nil {
		t.Fatal(err)
	}
	first, second := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "another directory")
	clone(t, top, first, released)
	clone(t, first, second, released, "v9.9.9")
	for _, dir := range []string{first, second} {
		if out, err := build(t.Context(), dir, "GORELEASER_CURRENT_TAG="+released); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	dist := filepath.Join(first, "dist")
	listed := sums(t, dist)
	for name, sum := range sums(t, filepath.Join(second, "dist")) {
		if listed[name] != sum {
			t.Errorf("%s is not the same twice", name)
		}
	}
	var want []string
	for _, goos := range []string{"linux", "darwin", "windows"} {
		for _, goarch := range []string{"amd64", "arm64"} {
			want = append(want, checkPlatform(t, dist, goos, goarch, listed)...)
		}
	}
	for name := range listed {
		if !slices.Contains(want, name) {
			t.Errorf("there is %s, which nobody expects", name)
		}
	}
}

// sums returns the digests that a release lists, and checks those of files.
func sums(t *testing.T, dist string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for line := range strings.Lines(string(content(t, dist, "SHA256SUMS"))) {
		sum, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		all[name] = sum
		if !strings.Contains(name, "/") && sum != fmt.Sprintf("%x", sha256.Sum256(content(t, dist, name))) {
			t.Errorf("%s is not what SHA256SUMS says", name)
		}
	}
	return all
}

func content(t *testing.T, dir, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// checkPlatform checks the files for a platform, and returns their names in the list.
func checkPlatform(t *testing.T, dist, goos, goarch string, listed map[string]string) []string {
	t.Helper()
	stem := "spiro-deploy_" + released + "_" + goos + "_" + goarch
	archive, program, read := stem+".tar.gz", stem+"/spiro-deploy", untar
	if goos == "windows" {
		archive, program, read = stem+".zip", stem+"/spiro-deploy.exe", unzip
	}
	names := []string{archive, program, stem + ".cdx.json"}
	if goos == "linux" {
		names = append(names, stem+".deb", stem+".rpm", stem+".apk")
	}
	for _, name := range names {
		if listed[name] == "" {
			t.Errorf("SHA256SUMS has no line for %s", name)
		}
	}
	files := read(t, content(t, dist, archive))
	if len(files) != 3 || files[stem+"/LICENSE"] == nil || files[stem+"/README.md"] == nil || files[program] == nil {
		t.Errorf("in %s are %d files, and not licence, README and command", archive, len(files))
	}
	if listed[program] != fmt.Sprintf("%x", sha256.Sum256(files[program])) {
		t.Errorf("SHA256SUMS has another program than %s", archive)
	}
	if bytes.Contains(files[program], []byte(filepath.Dir(dist))) {
		t.Errorf("the path of the build is in the program for %s/%s", goos, goarch)
	}
	checkModules(t, content(t, dist, stem+".cdx.json"))
	if goos == "darwin" {
		checkUUID(t, files[program])
	}
	if goos == runtime.GOOS && goarch == runtime.GOARCH {
		checkCommand(t, files[program])
	}
	return names
}

// checkModules checks the list of the modules in a program.
func checkModules(t *testing.T, list []byte) {
	t.Helper()
	type component struct{ Name, Version string }
	var bom struct {
		BOMFormat  string
		Metadata   struct{ Component component }
		Components []component
	}
	if err := json.Unmarshal(list, &bom); err != nil {
		t.Fatal(err)
	}
	has := func(name string) bool {
		return slices.ContainsFunc(bom.Components, func(c component) bool { return c.Name == name && c.Version != "" })
	}
	if bom.BOMFormat != "CycloneDX" || bom.Metadata.Component.Version != released || !has("github.com/alecthomas/kong") || !has("std") {
		t.Errorf("the list of modules is %.3000s", list)
	}
}

// checkUUID looks for the load command LC_UUID (mach-o/loader.h), which Go's linker makes
// from the build id. Without it macOS 26 does not start a program.
func checkUUID(t *testing.T, content []byte) {
	t.Helper()
	const uuid = 0x1b
	program, err := macho.NewFile(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(program.Loads, func(l macho.Load) bool { return program.ByteOrder.Uint32(l.Raw()) == uuid }) {
		t.Error("the program for macOS has no UUID")
	}
}

// checkCommand runs the program for this platform.
func checkCommand(t *testing.T, content []byte) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "spiro-deploy.exe")
	if err := os.WriteFile(program, content, 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), program, "--version").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"spiro-deploy " + released + "\n", "commit:   ", fmt.Sprintf("digest:   sha256:%x\n", sha256.Sum256(content))} {
		if !strings.Contains(string(out), want) {
			t.Errorf("--version says\n%swithout %q", out, want)
		}
	}
}

func untar(t *testing.T, content []byte) map[string][]byte {
	t.Helper()
	gz, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for tr := tar.NewReader(gz); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if program := strings.HasSuffix(h.Name, "/spiro-deploy"); program != (h.Mode == 0o755) || h.Uid != 0 || h.Uname != "root" {
			t.Errorf("%s has mode %o and is %d's (%q)", h.Name, h.Mode, h.Uid, h.Uname)
		}
		if files[h.Name], err = io.ReadAll(tr); err != nil {
			t.Fatal(err)
		}
	}
}

func unzip(t *testing.T, content []byte) map[string][]byte {
	t.Helper()
	zr, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, f := range zr.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if files[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// TestReleaseRefused has the mistakes that are found before anything is built.
func TestReleaseRefused(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it builds goreleaser")
	}
	top, err := root()
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		change func(t *testing.T, dir string)
		want   string
	}{
		"no tag":              {func(*testing.T, string) {}, "git doesn't contain any tags"},
		"no tag of a version": {func(t *testing.T, dir string) { git(t, dir, "tag", "next") }, "failed to parse tag 'next' as semver"},
		"tag elsewhere": {func(t *testing.T, dir string) {
			git(t, dir, "tag", released, "HEAD~1")
		}, "was not made against commit"},
		"changed": {func(t *testing.T, dir string) {
			git(t, dir, "tag", released)
			if err := os.WriteFile(filepath.Join(dir, "README.md"), []byte("other"), 0o644); err != nil {
				t.Fatal(err)
			}
		}, "git is in a dirty state"},
		"untracked": {func(t *testing.T, dir string) {
			git(t, dir, "tag", released)
			if err := os.WriteFile(filepath.Join(dir, "extra.go"), []byte("package x"), 0o644); err != nil {
				t.Fatal(err)
			}
		}, "?? extra.go"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "clone")
			clone(t, top, dir)
			tt.change(t, dir)
			if out, err := build(t.Context(), dir); err == nil || !strings.Contains(out, tt.want) || strings.Contains(out, "building binaries") {
				t.Errorf("it does not say %q: %v\n%s", tt.want, err, out)
			}
		})
	}
}

// TestReleaseImage compares the image of a release with that of the Dagger module.
func TestReleaseImage(t *testing.T) {
	t.Parallel()
	top, err := root()
	if err != nil {
		t.Fatal(err)
	}
	dockerfile := string(content(t, top, "internal/dev/release/Dockerfile"))
	config := string(content(t, top, ".goreleaser.yaml"))
	module := string(content(t, top, "image.go"))
	seen := 0
	for _, tt := range []struct{ call, in, want string }{
		{`WithUser\("([^"]*)"\)`, dockerfile, "USER %s\n"},
		{`WithWorkdir\("(/project)"\)`, dockerfile, "WORKDIR %s\n"},
		{`WithEntrypoint\(\[\]string\{("[^"]*")\}\)`, dockerfile, "ENTRYPOINT [%s]\n"},
		{`WithEnvVariable\("PATH", "([^"]*)"\)`, dockerfile, "ENV PATH=%s\n"},
		{`certificates = "([^"]*)"`, dockerfile, "cp %s "},
		{`WithFile\("([^"]*)", builder.WithExec`, dockerfile, "/spiro-deploy %s\n"},
		{`Permissions: (0o777)\b`, strings.ReplaceAll(dockerfile, "mkdir -m 0777 /image/tmp", "0o777"), "%s"},
		{`WithLabel\("[^"]*source", "([^"]*)"\)`, config, "org.opencontainers.image.source: %s\n"},
		{`WithLabel\("[^"]*title", "([^"]*)"\)`, config, "org.opencontainers.image.title: %s\n"},
		{`WithLabel\("[^"]*licenses", "([^"]*)"\)`, config, "org.opencontainers.image.licenses: %s\n"},
	} {
		found := regexp.MustCompile(tt.call).FindStringSubmatch(module)
		if found == nil {
			t.Errorf("image.go has no %s", tt.call)
		} else if want := fmt.Sprintf(tt.want, found[1]); !strings.Contains(tt.in, want) {
			t.Errorf("the image of a release has no %q", want)
		}
		if strings.Contains(tt.call, "WithLabel") {
			seen++
		}
	}
	if all := strings.Count(module, "WithLabel("); all != seen {
		t.Errorf("image.go has %d labels, and %d were looked at", all, seen)
	}
	goImage := regexp.MustCompile(`GoImage = "([^"]*)"`).FindStringSubmatch(string(content(t, top, "internal/module/image.go")))
	if goImage == nil || !strings.Contains(dockerfile, " "+goImage[1]+" AS base\n") {
		t.Errorf("the certificates do not come from %v", goImage)
	}
}
