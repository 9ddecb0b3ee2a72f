package atomicfile

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

// A file is written under a name like .bundle.tar.ABCDEFGH.tmp beside its own, and is
// locked meanwhile. A file of such a name without a lock is left from a killed run.

// left matches such a name.
var left = regexp.MustCompile(`(?s)^\.(.+)\.[A-Z2-7]{8}\.tmp$`)

const randomSize = 8

// Unfinished returns the name that a file gets once it is complete. It reports false
// if name is not the name of a file that a run is writing or has left unfinished.
func Unfinished(name string) (complete string, ok bool) {
	if found := left.FindStringSubmatch(name); found != nil {
		return found[1], true
	}
	return "", false
}

// create creates the file that becomes path. It is locked until free is called.
func create(path string, mode fs.FileMode) (f *os.File, free func(), err error) {
	for {
		// Not os.CreateTemp: its files are for their owner only, whatever the umask.
		temp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"."+rand.Text()[:randomSize]+".tmp")
		f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if err != nil {
			return nil, nil, err
		}
		if free, ok := hold(f); ok {
			return f, free, nil
		}
		_ = f.Close() // another run took it for a file of a killed run
		if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, nil, err
		}
	}
}

// removeLeft removes the files that killed runs have left beside path.
func removeLeft(path string) {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return // the write will fail, and tell why
	}
	defer dir.Close()
	for {
		names, err := dir.Readdirnames(1 << 10)
		for _, name := range names {
			if complete, ok := Unfinished(name); ok && complete == filepath.Base(path) {
				removeUnlocked(filepath.Join(filepath.Dir(path), name))
			}
		}
		if err != nil {
			return
		}
	}
}
