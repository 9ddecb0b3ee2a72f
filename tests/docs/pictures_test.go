package docs_test

import (
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/tests/docs/example"
)

var named = regexp.MustCompile(`docs/pictures/[^")\s]+`)

// TestPictures: the pictures that README.md names exist, have the format that their names
// say, and are small enough for a page. There are no others.
func TestPictures(t *testing.T) {
	t.Parallel()
	names := named.FindAllString(read(t, filepath.Join(example.Root, "README.md")), -1)
	there, err := filepath.Glob(filepath.Join(example.Root, "docs", "pictures", "*"))
	if err != nil || len(names) == 0 {
		t.Fatalf("README.md names %d pictures, %v", len(names), err)
	}
	for _, path := range there {
		if !slices.Contains(names, "docs/pictures/"+filepath.Base(path)) {
			t.Errorf("nothing shows %s", path)
		}
	}
	for _, name := range names {
		path := filepath.Join(example.Root, filepath.FromSlash(name))
		if err := check(path); err != nil {
			t.Errorf("%s: %v (go tool mage pictures makes it)", name, err)
		}
	}
}

// check returns what is wrong with a picture.
func check(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if filepath.Ext(path) == ".svg" {
		return errors.Join(small(info, 60<<10), checkSVG(file))
	}
	_, err = png.Decode(file)
	return errors.Join(small(info, 200<<10), err)
}

func small(info os.FileInfo, limit int64) error {
	if info.Size() > limit {
		return errors.New("it is too large")
	}
	return nil
}

// checkSVG returns what is wrong with a drawing. It may have shapes and text, but nothing
// that runs or is fetched.
func checkSVG(r io.Reader) error {
	elements := 0
	for d := xml.NewDecoder(r); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && elements > 10 {
			return nil
		}
		if err != nil {
			return err
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		elements++
		if !slices.Contains([]string{"svg", "title", "rect", "g", "text"}, start.Name.Local) {
			return errors.New("it has an element " + start.Name.Local)
		}
		for _, a := range start.Attr {
			if a.Name.Local == "href" || a.Name.Local == "style" || strings.HasPrefix(a.Name.Local, "on") || strings.Contains(a.Value, "url(") {
				return errors.New("it has an attribute " + a.Name.Local)
			}
		}
	}
}
