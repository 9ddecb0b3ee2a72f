package release

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// file is one in an archive, or an archive.
type file struct {
	name    string
	mode    fs.FileMode
	content []byte
}

// pack writes the archive that people of a platform expect.
func (r *run) pack(stem string, p Platform, files []file) (file, error) {
	write, ending := writeTar, ".tar.gz"
	if p.OS == "windows" {
		write, ending = writeZip, ".zip"
	}
	var buf bytes.Buffer
	if err := write(&buf, files, r.time); err != nil {
		return file{}, err
	}
	archive := file{stem + ending, 0o644, buf.Bytes()}
	return archive, os.WriteFile(filepath.Join(r.whole, archive.name), archive.content, archive.mode)
}

// writeTar writes a tar of root's files, all of one time.
func writeTar(w io.Writer, files []file, modTime time.Time) error {
	gz, err := gzip.NewWriterLevel(w, gzip.BestCompression) // its header names neither file nor time
	if err != nil {
		return err
	}
	tw := tar.NewWriter(gz)
	for _, f := range files {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: f.name, Mode: int64(f.mode), Size: int64(len(f.content)), ModTime: modTime, Format: tar.FormatUSTAR}
		if err := tw.WriteHeader(h); err != nil {
			return err
		}
		if _, err := tw.Write(f.content); err != nil {
			return err
		}
	}
	if err := tw.Close(); err != nil {
		return err
	}
	return gz.Close()
}

func writeZip(w io.Writer, files []file, modTime time.Time) error {
	zw := zip.NewWriter(w)
	for _, f := range files {
		h := &zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: modTime}
		h.SetMode(f.mode)
		fw, err := zw.CreateHeader(h)
		if err != nil {
			return err
		}
		if _, err := fw.Write(f.content); err != nil {
			return err
		}
	}
	return zw.Close()
}
