package ci

import (
	"context"
	"io"
)

// releaseModule has the programs that make a release: goreleaser, and one for the
// list of modules in a program.
const releaseModule = "internal/dev/release/go.mod"

// A Release says what becomes of what is built.
type Release struct {
	Snapshot bool // of any commit, to look at
	Publish  bool // as a draft, and the image
}

// Run makes a release with goreleaser, in dist: see .goreleaser.yaml.
func (r Release) Run(ctx context.Context, out io.Writer) error {
	args := []string{"release", "--clean"}
	switch {
	case r.Snapshot:
		args = append(args, "--snapshot", "--skip=docker")
	case !r.Publish:
		args = append(args, "--skip=publish")
	}
	return goreleaser(ctx, out, args...)
}

func goreleaser(ctx context.Context, out io.Writer, args ...string) error {
	return run(ctx, out, ".", append([]string{"go", "tool", "-modfile=" + releaseModule, "goreleaser"}, args...)...)
}
