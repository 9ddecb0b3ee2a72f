package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/tests/docs/example"
)

// block is a piece of code in a document.
type block struct {
	file     string // as seen from the root of the repository
	language string
	text     string
	target   string // the file's name, if the line before ends with it: "write `_salt/web.sls`:"
}

// name returns the document and the first line of the block.
func (b block) name() string {
	first, _, _ := strings.Cut(b.text, "\n")
	return b.file + ": " + first
}

var fenced = regexp.MustCompile("(?ms)(?:`([^`\n]+)`:\n\n)?^```([a-z]+)\n(.*?)^```$")

// blocks returns the blocks of all documents.
func blocks(t *testing.T) []block {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(example.Root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	guides, err := filepath.Glob(filepath.Join(example.Root, "docs", "guides", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, guides...)
	files = append(files, filepath.Join(example.Root, "README.md"), filepath.Join(example.Root, "examples", "shop", "README.md"))
	var all []block
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name, err := filepath.Rel(example.Root, file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range fenced.FindAllStringSubmatch(string(text), -1) {
			all = append(all, block{filepath.ToSlash(name), found[2], found[3], found[1]})
		}
	}
	return all
}
