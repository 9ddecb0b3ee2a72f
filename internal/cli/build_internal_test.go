package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOutputPlace: an output that cannot be written is a problem before the bundle is made.
func TestOutputPlace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := written(t, filepath.Join(dir, "file"), "")
	for output, want := range map[string]string{
		filepath.Join(dir, "none", "x.tar"): "the directory " + filepath.Join(dir, "none") + " does not exist: make it first",
		filepath.Join(file, "x.tar"):        "is not a directory",
		dir:                                 "it is a directory",
		file:                                "",
		"-":                                 "",
	} {
		w, _, _ := worldOf(nil)
		_, err := w.bundleOptions(Settings{Dir: dir, Output: output}, nil)
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasSuffix(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", output, err, want)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%d files are there, %v", len(entries), err)
	}
}

// TestSeveralInOne: a value that looks like several is an error that says so, unless it is the
// name of a file.
func TestSeveralInOne(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	written(t, filepath.Join(dir, "a,b"), "")
	if err := os.Mkdir(filepath.Join(dir, "[x]"), 0o755); err != nil {
		t.Fatal(err)
	}
	const pattern, several = "not a pattern", "takes one path, and is repeated"
	for artifact, want := range map[string]string{
		"build/*.jar": pattern, "n=build/?": pattern, "[y]": pattern, "x,y": several, "n=x,y": several, "x": "", "a,b": "", "n=a,b": "", "[x]": "",
		filepath.Join(dir, "a,b"): "", filepath.Join(dir, "a,c"): several,
	} {
		w, _, _ := worldOf(nil)
		opts, err := w.bundleOptions(Settings{Dir: dir, Artifacts: []string{artifact}}, nil)
		if want == "" && (err != nil || len(opts.Artifacts) != 1) || want != "" && (err == nil || !strings.Contains(err.Error(), want) || len(opts.Artifacts) > 0) {
			t.Errorf("%s: %v, want %q", artifact, err, want)
		}
	}
	w, _, _ := worldOf(nil)
	if _, err := w.bundleOptions(Settings{Mage: true, Dir: dir, Artifacts: []string{"x,y"}}, nil); err != nil {
		t.Errorf("a comma that mage was given as one: %v", err)
	}

	if _, err := parseReports([]string{"json=" + filepath.Join(dir, "a.json") + ",html=b.html"}, ""); err == nil || !strings.HasSuffix(err.Error(), "it takes one report: name each by itself") {
		t.Errorf("two reports: %v", err)
	}
	if _, err := parseReports([]string{"json=" + filepath.Join(dir, "a,b.json")}, ""); err != nil {
		t.Errorf("a comma in the name of a report: %v", err)
	}

	const urls = "https://a/,https://b/"
	s := Settings{Servers: []string{urls}}
	if err := s.Contradictions(); err == nil || !strings.HasPrefix(err.Error(), "--server has several URLs and takes one") {
		t.Errorf("two servers: %v", err)
	}
	w, _, _ = worldOf(map[string]string{"SPIRO_URL": urls, "SPIRO_TOKEN": "a-token"})
	if _, err := w.serverOptions(t.Context(), Settings{}); err == nil || !strings.HasPrefix(err.Error(), "SPIRO_URL has several URLs and takes one") {
		t.Errorf("two servers in the environment: %v", err)
	}
}
