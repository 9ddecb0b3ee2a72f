package spirotest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"regexp"
	"strings"
	"unicode/utf8"
)

// maxValue is how much of one form value is kept, in bytes.
const maxValue = 1 << 20

// controls are the characters that Tornado turns into spaces.
var controls = regexp.MustCompile(`[\x00-\x08\x0e-\x1f]`)

// form is what a POST brought. The bundle is on the disk, never in memory.
type form struct {
	values  map[string]string
	bundles int
	bundle  *os.File // the first one; nil without one, or when discarding
	size    int64
	digest  string
	failed  error // the bundle could not be written to the disk
}

func (f *form) remove() {
	if f.bundle == nil {
		return
	}
	_ = f.bundle.Close()
	_ = os.Remove(f.bundle.Name())
}

// readForm reads a request to its end. A body that is no form, or a damaged
// one, leaves the form as good as empty; an error means that the end was never
// reached.
func (s *Server) readForm(r *http.Request) (*form, error) {
	f := &form{values: map[string]string{}}
	for name, values := range r.URL.Query() {
		f.set(name, values[len(values)-1])
	}
	body := http.MaxBytesReader(nil, r.Body, s.options.MaxBody)
	kind, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind == "multipart/form-data" && params["boundary"] != "" {
		s.readParts(f, multipart.NewReader(body, params["boundary"]))
	}
	_, err := io.Copy(io.Discard, body) // what stopped reading before stops it again
	return f, err
}

func (s *Server) readParts(f *form, parts *multipart.Reader) {
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return
		}
		if err == nil {
			err = s.readPart(f, part)
		}
		if err != nil {
			// To Tornado a form without its end is no form.
			clear(f.values)
			f.bundles = 0
			return
		}
	}
}

func (s *Server) readPart(f *form, part *multipart.Part) error {
	name := part.FormName()
	if part.FileName() == "" {
		value, err := io.ReadAll(io.LimitReader(part, maxValue))
		f.set(name, string(value))
		return err
	}
	if name != "bundle" {
		return nil
	}
	f.bundles++
	if f.bundles > 1 {
		return nil
	}
	return s.readBundle(f, part)
}

// readBundle writes the bundle to the disk. Its error is one of reading; one of
// writing goes to the form, for the request to be read on.
func (s *Server) readBundle(f *form, bundle io.Reader) (err error) {
	if s.options.Discard {
		f.size, err = io.Copy(io.Discard, bundle)
		return err
	}
	if f.bundle, f.failed = os.CreateTemp(s.dir, "bundle-"); f.failed != nil {
		return nil
	}
	hash := sha256.New()
	f.size, err = io.Copy(io.MultiWriter(f.bundle, hash), bundle)
	f.digest = fmt.Sprintf("sha256:%x", hash.Sum(nil))
	if errors.As(err, new(*fs.PathError)) {
		f.failed = err
		return nil
	}
	return err
}

// set keeps a value as Tornado gives it to SpiroFS; of several the last one
// counts.
func (f *form) set(name, value string) {
	if !utf8.ValidString(value) {
		// Tornado answers 400, as it does when the field is missing.
		delete(f.values, name)
		return
	}
	f.values[name] = strings.TrimSpace(controls.ReplaceAllString(value, " "))
}
