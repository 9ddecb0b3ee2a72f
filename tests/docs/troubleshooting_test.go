package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/tests/docs/example"
)

// elsewhere has the words of docs/guides/troubleshooting.md that come from other
// programs.
var elsewhere = map[string]string{
	"the registry's certificate": "package peer puts it together",
	"is not available":           "salt-run says so of a runner that it does not know",
	"unknown flag":               "the parser of flags says so",
	"invalid option":             "mage says so",
	"unknown option":             "mage says so",

	"flag provided but not defined": "mage says so",
}

// TestTroubleshooting: people can search for the words that they see. Each heading has
// words of docs/faults.md, or of the code.
func TestTroubleshooting(t *testing.T) {
	t.Parallel()
	said := read(t, filepath.Join(example.Root, "docs", "faults.md"))
	for _, dir := range []string{"spirodeploy", "internal"} {
		err := fs.WalkDir(os.DirFS(example.Root), dir, func(path string, _ fs.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
				said += read(t, filepath.Join(example.Root, path))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	said = strings.ReplaceAll(said, `\"`, `"`)
	page := read(t, filepath.Join(example.Root, "docs", "guides", "troubleshooting.md"))
	headings := regexp.MustCompile("(?m)^### .*`$").FindAllString(page, -1)
	if len(headings) == 0 {
		t.Fatal("docs/guides/troubleshooting.md has no words to look for")
	}
	for _, heading := range headings {
		for _, words := range regexp.MustCompile("`[^`]+`").FindAllString(heading, -1) {
			words = strings.Trim(words, "`")
			for part := range strings.SplitSeq(words, "…") {
				if !strings.Contains(said, part) && elsewhere[words] == "" {
					t.Errorf("nothing says %q, which is in the heading %q", part, heading)
				}
			}
		}
	}
}
