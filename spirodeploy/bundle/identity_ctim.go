//go:build linux || openbsd || dragonfly || solaris || illumos

package bundle

import (
	"io/fs"
	"syscall"
)

// identityOf returns what tells a file from others.
func identityOf(info fs.FileInfo) identity {
	id := identity{modTime: info.ModTime().UnixNano()}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		sec, nsec := stat.Ctim.Unix()
		id.change, id.device, id.inode = sec*1e9+nsec, uint64(stat.Dev), uint64(stat.Ino) //nolint:unconvert // their types differ by system
	}
	return id
}
