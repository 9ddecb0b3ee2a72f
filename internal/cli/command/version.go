package command

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/opencontainers/go-digest"

	"github.com/spirostack/spirodeploy/internal/sanitize"
)

// The linker sets these for a release: what the Go command itself sees of a repository
// depends on the tags of the clone (see .goreleaser.yaml).
var (
	releaseVersion string
	releaseCommit  string
)

// versionFlag prints the version, and ends the run before anything else is read. kong's own
// would make the text, and so hash the executable, in every run.
type versionFlag bool

// BeforeReset prints the version; kong calls it for the flag.
func (versionFlag) BeforeReset(app *kong.Kong) error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{GoVersion: runtime.Version()}
	}
	if _, err := io.WriteString(app.Stdout, versionText(info, executableDigest())); err != nil {
		return fmt.Errorf("--version: %w", err)
	}
	app.Exit(0)
	return nil
}

// versionText returns a line with name and version, and a line "KEY: VALUE" for each other
// fact that is known.
func versionText(info *debug.BuildInfo, sum string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "spiro-deploy %s\n", cmp.Or(releaseVersion, info.Main.Version, "(unknown version)"))
	line := func(key, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-9s %s\n", key+":", value)
		}
	}
	line("commit", cmp.Or(short(releaseCommit), commit(info)))
	line("module", info.Main.Sum) // go install MODULE@VERSION knows this, and no commit
	line("go", info.GoVersion)
	line("platform", runtime.GOOS+"/"+runtime.GOARCH)
	line("digest", sum)
	return b.String()
}

// commit returns the commit that the Go command has built, or "".
func commit(info *debug.BuildInfo) string {
	seen := map[string]string{}
	for _, s := range info.Settings {
		seen[s.Key] = s.Value
	}
	hash := short(seen["vcs.revision"])
	if hash != "" && seen["vcs.modified"] == "true" {
		hash += " (modified)"
	}
	return hash
}

// short returns the first digits of a commit's hash.
func short(hash string) string { return hash[:min(len(hash), 12)] }

// executableDigest returns the digest of the running file, to compare with the list of a
// release, or why there is none.
func executableDigest() string {
	sum, err := digestOf(os.Executable())
	if err != nil {
		return "unknown: " + sanitize.Line(err.Error())
	}
	return sum
}

func digestOf(path string, err error) (string, error) {
	if err != nil {
		return "", err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	d, err := digest.FromReader(f)
	return d.String(), err
}
