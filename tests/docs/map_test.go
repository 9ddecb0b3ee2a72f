package docs_test

import (
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestMap: docs/development.md has a line for each folder with code, and no other.
func TestMap(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	text, err := os.ReadFile(filepath.Join(root, "docs", "development.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "## The map")
	_, rest, _ = strings.Cut(rest, "```\n")
	rooms, _, _ := strings.Cut(rest, "```\n")
	var listed []string
	for line := range strings.Lines(rooms) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		room := regexp.MustCompile(`^(\S+) {2,}\S`).FindStringSubmatch(line)
		if room == nil {
			t.Errorf("the line %q has no folder, or does not say what it is for", line)
			continue
		}
		listed = append(listed, room[1])
	}
	out, err := exec.Command("git", "-C", root, "ls-files", "--cached", "--others", "--exclude-standard", "*.go", "*/go.mod").Output()
	if err != nil {
		t.Fatal(err)
	}
	folders := []string{}
	for file := range strings.Lines(string(out)) {
		file = strings.TrimSpace(file)
		if _, err := os.Stat(filepath.Join(root, file)); err != nil { // it is deleted
			continue
		}
		dir := path.Dir(file)
		switch parts := strings.Split(dir, "/"); {
		case slices.Contains(parts, "testdata"):
			continue
		case parts[0] == "contrib", parts[0] == "tests":
			dir = path.Join(parts[:min(2, len(parts))]...)
		case parts[0] == "examples":
			dir = parts[0]
		}
		if !slices.Contains(folders, dir) {
			folders = append(folders, dir)
		}
		if !slices.Contains(listed, dir) {
			t.Errorf("docs/development.md has no line for %s", dir)
			listed = append(listed, dir)
		}
	}
	for _, room := range listed {
		if !slices.ContainsFunc(folders, func(dir string) bool { return dir == room || strings.HasPrefix(dir, room+"/") }) {
			t.Errorf("docs/development.md has a line for %s, which is not there", room)
		}
	}
}
