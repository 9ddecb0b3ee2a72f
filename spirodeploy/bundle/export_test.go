package bundle

import (
	"io"
	"io/fs"

	"github.com/opencontainers/go-digest"
)

// Pumped reads what is at hand like the tar of a bundle.
func Pumped(r io.ReaderAt, size int64, want digest.Digest, learn func(digest.Digest)) io.ReadCloser {
	return newPump(&layout{tar: r, size: size}, size, want, learn)
}

// ChangeTime returns when a file changed last; 0 where that is not known.
func ChangeTime(info fs.FileInfo) int64 { return identityOf(info).change }
