// Package step does the work of the Dagger module beside the data, inside of the engine:
// it makes bundles from directories, and reads bundles.
//
// A step is a run of the module's own executable in a container that holds nothing but
// its input, mounted at the places below. An environment variable has the options, as
// JSON. The engine caches a step by the content of the mounts.
//
// The container has no git. The module's function runs git and mounts the results as
// files ([Unpack], [Commit], [Archive]).
package step

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spirostack/spirodeploy/internal/atomicfile"
	"github.com/spirostack/spirodeploy/internal/module/args"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
)

// Env is the environment variable that makes the module's executable do a step and exit.
// It holds the [Options].
const Env = "SPIRODEPLOY_STEP"

// Places in a step's container, below its root.
const (
	Program       = "spirodeploy" // the executable
	ProjectDir    = "project"     // bundle, check: the project directory, without the .git of a repository
	BuiltDir      = "built"       // bundle, check: what goes below _artifacts as it is; optional
	CommitFile    = "commit"      // bundle: what .gitcommit holds; optional
	ArchiveFile   = "archive.tar" // bundle: what goes below _source, for the source git
	RepositoryDir = "repository"  // pack: the directory .git
	InputFile     = "input.tar"   // digest, manifest, diff: the (new) bundle
	OldFile       = "old.tar"     // diff: the old bundle
	OutputFile    = "output.tar"  // bundle, pack: what was made
	WarningsFile  = "warnings"    // bundle, check: a line for each warning
)

// Kind is a kind of step.
type Kind string

// The kinds of steps.
const (
	Bundle   Kind = "bundle"   // makes a bundle, and the list of its warnings
	Check    Kind = "check"    // says whether a project can be deployed, and lists warnings
	Pack     Kind = "pack"     // packs a .git for Unpack
	Digest   Kind = "digest"   // prints the digest of a bundle
	Manifest Kind = "manifest" // prints what a bundle holds
	Diff     Kind = "diff"     // prints how a bundle differs from another
)

// Options say what a step does.
type Options struct {
	Do Kind `json:"do"`
	// Artifacts are "PATH" or "NAME=PATH", with paths inside of the project
	// directory, for Bundle and Check.
	Artifacts []string `json:"artifacts,omitempty"`
	// Source is "filesystem", "fs", "git" or empty, for Bundle and Check.
	Source string `json:"source,omitempty"`
	// Exclude are patterns of entries to leave out, for Bundle and Check.
	Exclude []string `json:"exclude,omitempty"`
	// Root is the directory with the places, for tests; default /.
	Root string `json:"root,omitempty"`
}

// UsesGit reports whether the step needs an [ArchiveFile]. The error means that the source
// is unknown.
func (o Options) UsesGit() (bool, error) {
	_, err := bundle.ParseSource(o.Source)
	return o.Source == "git", err
}

// JSON returns the value of the environment variable.
func (o Options) JSON() string {
	text, err := json.Marshal(o)
	if err != nil {
		panic(err) // strings alone cannot fail
	}
	return string(text)
}

// Main is the main function of a step in its own container. It returns the exit status: 0,
// or 2 if the step failed, with the reason on standard error.
func Main(options string) int {
	if err := Run(context.Background(), options, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, fault.Line(err, args.Spell))
		return 2
	}
	return 0
}

// Run does a step and writes its output to out.
func Run(ctx context.Context, options string, out io.Writer) error {
	s := step{out: out}
	if err := json.Unmarshal([]byte(options), &s.Options); err != nil {
		return fmt.Errorf("read options of step: %w", err)
	}
	switch s.Do {
	case Bundle:
		return s.bundle(ctx)
	case Check:
		return s.check(ctx)
	case Pack:
		return s.output(ctx, func(w io.Writer) error { return pack(ctx, s.at(RepositoryDir), w) })
	case Digest:
		return s.print(s.digest())
	case Manifest:
		return s.print(s.manifest())
	case Diff:
		return s.print(s.diff())
	}
	return fmt.Errorf("step %q: there is no such step", s.Do)
}

type step struct {
	Options
	out io.Writer
}

// at returns the path of a place.
func (s step) at(place string) string { return filepath.Join("/", s.Root, place) }

// output makes the output file, whole or not at all.
func (s step) output(ctx context.Context, write func(io.Writer) error) error {
	return atomicfile.Write(ctx, s.at(OutputFile), nil, write)
}
