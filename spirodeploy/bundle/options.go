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
	// Artifacts are put below _artifacts; default none.
	Artifacts []Artifact
	// Source scans what goes below _source: [Filesystem], [Git] or a scanner
	// of your own; default nil, no source.
	Source Scanner
	// Scanners scan what else goes to the root of the bundle; default none.
	Scanners []Scanner
	// Files are made up: name in the bundle → content; default none. What is
	// here for .gitcommit replaces what git says; nil is then no such file.
	Files map[string][]byte
	// Exclude leaves out what matches one of these patterns, and everything
	// below it. A pattern with a slash in it is for the whole name in the
	// bundle ("_source/web/node_modules", "_source/**/*.log"), one without
	// is for the last element, at any depth ("*.pyc"; "/x" is x at the root only). ?, *, [a-z], {a,b} and
	// ** are as in github.com/bmatcuk/doublestar; default none.
	Exclude []string
	// Omit names files on disk that are left out wherever they are found: what
	// the run itself reads and writes; default none.
	Omit []string
	// GitDescribe chooses the second line of .gitcommit; default [DescribeAll].
	GitDescribe Describe
	// Withhold names environment variables that git, and the filters that it runs,
	// are not given: those that hold a token. SPIRO_TOKEN is withheld always.
	Withhold []string
	// ModTime is the modification time of every entry, cut to whole seconds;
	// default 1970-01-01T00:00:00Z. It must lie between that and the year 2242.
	ModTime time.Time
	// Digest is the digest that the bundle must have: readers of any other fail
	// with [ErrDigest] before the last byte. Default: whatever it has.
	Digest digest.Digest
}

// An Artifact is a file or directory that the build made.
type Artifact struct {
	// Path is where it is, relative to the project directory or absolute. A
	// symbolic link that it names itself is followed.
	Path string
	// Name is where it goes below _artifacts; default: Path, which must then
	// lie inside the project directory.
	Name string
}

// ParseArtifact reads "PATH" or "NAME=PATH". An existing path, relative to dir,
// with = in it is a PATH.
func ParseArtifact(dir, s string) Artifact {
	name, p, ok := strings.Cut(s, "=")
	if !ok {
		return Artifact{Path: s}
	}
	if _, err := os.Lstat(in(dir, s)); err == nil {
		return Artifact{Path: s}
	}
	return Artifact{Name: name, Path: p}
}
