package bundle

import (
	"os"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
)

// Directories and files with a meaning.
const (
	SaltDir       = "_salt"      // in a project: the states
	ArtifactsDir  = "_artifacts" // in a bundle: what the build made
	SourceDir     = "_source"    // in a bundle: the project's source
	GitCommitFile = ".gitcommit" // in a bundle: the commit it was made from
)

// Options say what goes into a bundle. The zero value bundles _salt and
// .gitcommit of the working directory.
type Options struct {
	// Dir is the project directory; default ".".
	Dir string
	// Artifacts go below _artifacts; default none.
	Artifacts []Artifact
	// Source scans what goes below _source: [Filesystem], [Git], [Archive] or a
	// scanner of your own; default none.
	Source Scanner
	// Scanners scan further entries for the root of the bundle; default none.
	Scanners []Scanner
	// Files are files with given content, by their names in the bundle; default none.
	// A .gitcommit replaces the one from git, and a nil .gitcommit removes it.
	Files map[string][]byte
	// Exclude are patterns of entries to leave out, with everything below them;
	// default none. A pattern with a slash matches the whole name in the bundle
	// ("_source/web/node_modules", "_source/**/*.log"; "/x" is x at the root only). A
	// pattern without one matches the last element, at any depth ("*.pyc"). The
	// wildcards ?, *, [a-z], {a,b} and ** are those of github.com/bmatcuk/doublestar.
	Exclude []string
	// Omit are files on disk to leave out wherever New finds them: what the run
	// itself reads and writes; default none.
	Omit []string
	// GitDescribe chooses the second line of .gitcommit; default [DescribeAll].
	GitDescribe Describe
	// Withhold are the names of environment variables that hold a token. Git and the
	// filters that it runs do not get them, nor SPIRO_TOKEN; default none.
	Withhold []string
	// ModTime is the modification time of every entry, cut to whole seconds, between
	// 1970 and 2242; default 1970-01-01T00:00:00Z.
	ModTime time.Time
	// Digest is the digest that the bundle must have: readers of a bundle with
	// another one fail with [ErrDigest] before the last byte. Default: any.
	Digest digest.Digest
}

// An Artifact is a file or directory that the build made.
type Artifact struct {
	// Path is absolute, or relative to the project directory. New follows the path if
	// it is a symbolic link.
	Path string
	// Name is the slash path below _artifacts; default: Path, which must then be
	// inside the project directory.
	Name string
}

// ParseArtifact reads "PATH" or "NAME=PATH". A text with = in it is a PATH if there is
// such a path, relative to dir. A text that begins with = is a PATH, too: most often a
// variable is not set, and the artifact must not go elsewhere.
func ParseArtifact(dir, s string) Artifact {
	name, p, ok := strings.Cut(s, "=")
	if !ok || name == "" {
		return Artifact{Path: s}
	}
	if _, err := os.Lstat(in(dir, s)); err == nil {
		return Artifact{Path: s}
	}
	return Artifact{Name: name, Path: p}
}
