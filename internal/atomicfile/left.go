package atomicfile

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

// A file is written under a name like .bundle.tar.ABCDEFGH.tmp beside its own, and
// locked meanwhile. One that is not locked is what a run has left that was killed.

// left matches what stands behind a file's name in such a name.
var left = regexp.MustCompile(`^\.[A-Z2-7]{8}\.tmp$`)

const randomSize = 8

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
		_ = f.Close() // another run took it for what a killed one has left
		if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, nil, err
		}
	}
}

// removeLeft removes what killed runs have left that wrote path.
func removeLeft(path string) {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return // it cannot be written there either, and that will be told
	}
	defer dir.Close()
	prefix := "." + filepath.Base(path)
	for {
		names, err := dir.Readdirnames(1 << 10)
		for _, name := range names {
			if len(name) > len(prefix) && name[:len(prefix)] == prefix && left.MatchString(name[len(prefix):]) {
				removeUnlocked(filepath.Join(filepath.Dir(path), name))
			}
		}
		if err != nil {
			return
		}
	}
}
