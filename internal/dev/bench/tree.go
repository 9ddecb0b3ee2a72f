package bench

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// A tree is a project with states of some kind. It is the same on every machine.
type tree struct {
	name string
	make func(dir string) error
}

var (
	mixed20k = tree{"20,000 files", func(dir string) error { return mixed(dir, 20_000) }}
	tiny10k  = tree{"10,000 tiny files", func(dir string) error { return tiny(dir, 10_000) }}
	tiny100k = tree{"100,000 tiny files", func(dir string) error { return tiny(dir, 100_000) }}
	tiny1m   = tree{"1,000,000 tiny files", func(dir string) error { return tiny(dir, 1_000_000) }}
	oneOf4G  = tree{"one file of 4 GiB", func(dir string) error { return large(dir, 1, 4<<30) }}
	of20M    = tree{"200 files of 20 MiB", func(dir string) error { return large(dir, 200, 20<<20) }}
)

// made returns the directory of a tree, which it makes if need be.
func (b *bench) made(t tree) (string, error) {
	dir := filepath.Join(b.dir, t.name)
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	return dir, t.make(dir)
}

// mixed makes files as projects have them: nine of ten are small, few are large.
// 20,000 have about 405 MiB.
func mixed(dir string, files int) error {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // it is to be the same each time
	content := make([]byte, 0, 2<<20)
	for len(content) < cap(content) {
		content = binary.LittleEndian.AppendUint64(content, random.Uint64())
	}
	return write(dir, files, 200, func(int) []byte {
		size := random.IntN(6_000)
		switch n := random.IntN(1_000); {
		case n < 5:
			size = 500_000 + random.IntN(1_500_000)
		case n < 100:
			size = 50_000 + random.IntN(150_000)
		}
		at := random.IntN(len(content) - size + 1)
		return content[at : at+size]
	})
}

// tiny makes files of less than 700 bytes.
func tiny(dir string, files int) error {
	content := make([]byte, 700)
	for i := range content {
		content[i] = byte('a' + i%26)
	}
	return write(dir, files, files/100, func(i int) []byte { return content[:i%700] })
}

// write writes files into a number of directories.
func write(dir string, files, dirs int, content func(int) []byte) error {
	for i := range files {
		sub := filepath.Join(dir, "_salt", fmt.Sprintf("d%04d", i%dirs))
		if i < dirs {
			if err := os.MkdirAll(sub, 0o755); err != nil {
				return err
			}
		}
		if err := os.WriteFile(filepath.Join(sub, fmt.Sprintf("file%06d.sls", i)), content(i), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// large makes files that consist of zeros. They need no room on most disks.
func large(dir string, files int, size int64) error {
	if err := os.MkdirAll(filepath.Join(dir, "_salt"), 0o755); err != nil {
		return err
	}
	for i := range files {
		path := filepath.Join(dir, "_salt", fmt.Sprintf("large%03d", i))
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			return err
		}
		if err := os.Truncate(path, size); err != nil {
			return err
		}
	}
	return nil
}
