//go:build !unix || aix

package bundle

import "io/fs"

// identityOf returns what tells a file from others.
func identityOf(info fs.FileInfo) identity { return identity{modTime: info.ModTime().UnixNano()} }
