package release

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

const (
	name    = "spiro-deploy"
	command = "./spirodeploy/cmd/" + name
)

// sums is the list of digests, in the form of sha256sum.
const sums = "SHA256SUMS"

// papers are packed with each executable.
var papers = []string{"LICENSE", "README.md"}

// run is a release in the making.
type run struct {
	Options
	commit
	whole string // directory of what is published
	parts string // directory of what is not: the executables
}

func (r *run) make(ctx context.Context) error {
	for _, dir := range []string{r.whole, r.parts} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
	}
	var list []string
	for _, p := range r.Platforms {
		stem := strings.Join([]string{name, r.Version, p.OS, p.Arch}, "_")
		fmt.Fprintln(r.Out, stem)
		executable, err := r.build(ctx, p)
		if err != nil {
			return err
		}
		files, err := r.files(stem, executable)
		if err != nil {
			return err
		}
		archive, err := r.pack(stem, p, files)
		if err != nil {
			return err
		}
		packed := files[len(files)-1] // the executable
		list = append(list, sum(archive.name, archive.content), sum(packed.name, packed.content))
	}
	slices.SortFunc(list, func(a, b string) int { return strings.Compare(a[2*sha256.Size:], b[2*sha256.Size:]) })
	return os.WriteFile(filepath.Join(r.whole, sums), []byte(strings.Join(list, "")), 0o644)
}

// sum returns a line of the list. One for what is within an archive serves who has
// unpacked it.
func sum(name string, content []byte) string {
	return fmt.Sprintf("%x  %s\n", sha256.Sum256(content), name)
}

// commandPackage is the package whose variables say what a release is.
const commandPackage = "github.com/spirostack/spirodeploy/internal/cli/command"

// build makes the executable for a platform, and returns its path.
func (r *run) build(ctx context.Context, p Platform) (string, error) {
	out := filepath.Join(r.parts, p.OS+"-"+p.Arch, name)
	if p.OS == "windows" {
		out += ".exe"
	}
	out, err := filepath.Abs(out)
	if err != nil {
		return "", err
	}
	// The build id stays: without one, the linker gives programs for macOS no UUID,
	// and that system wants one.
	// No look at the repository by the Go command: what it says of the version
	// depends on the tags of the clone.
	stamp := "-s -w -X " + commandPackage + ".releaseVersion=" + r.Version + " -X " + commandPackage + ".releaseCommit=" + r.hash
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-mod=readonly", "-ldflags="+stamp, "-o", out, command)
	cmd.Dir = r.Dir
	elsewhere, err := whence(ctx)
	if err != nil {
		return "", err
	}
	cmd.Env = append(append(os.Environ(), elsewhere...), "GOOS="+p.OS, "GOARCH="+p.Arch, "CGO_ENABLED=0",
		// What else decides over the bytes.
		"GOENV=off", "GOFLAGS=", "GOWORK=off", "GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=", "GOFIPS140=off")
	if words, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build for %s/%s: %w\n%s", p.OS, p.Arch, err, words)
	}
	return out, nil
}

// whence returns the settings of where modules and caches are, which may be in the
// file of "go env -w": what else is there must not decide over the bytes.
func whence(ctx context.Context) ([]string, error) {
	names := []string{"GOPROXY", "GONOPROXY", "GOPRIVATE", "GOSUMDB", "GONOSUMDB", "GOMODCACHE", "GOCACHE", "GOTOOLCHAIN"}
	out, err := exec.CommandContext(ctx, "go", append([]string{"env"}, names...)...).Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	values := strings.Split(string(out), "\n")
	var settings []string
	for i, name := range names {
		settings = append(settings, name+"="+strings.TrimSpace(values[i]))
	}
	return settings, nil
}

// files returns what goes into an archive, in its order.
func (r *run) files(stem, executable string) ([]file, error) {
	var files []file
	for _, paper := range papers {
		content, err := os.ReadFile(filepath.Join(r.Dir, paper))
		if err != nil {
			return nil, err
		}
		files = append(files, file{stem + "/" + paper, 0o644, content})
	}
	content, err := os.ReadFile(executable)
	if err != nil {
		return nil, err
	}
	return append(files, file{stem + "/" + filepath.Base(executable), 0o755, content}), nil
}
