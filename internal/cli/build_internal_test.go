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

// TestSeveralInOne: a value that looks like several is an error that says so.
func TestSeveralInOne(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := parseReports([]string{"json=" + filepath.Join(dir, "a.json") + ",html=b.html"}, ""); err == nil || !strings.HasSuffix(err.Error(), "it names several: give each of them a flag of its own") {
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
	w, _, _ := worldOf(map[string]string{"SPIRO_URL": urls, "SPIRO_TOKEN": "a-token"})
	if _, err := w.serverOptions(t.Context(), Settings{}); err == nil || !strings.HasPrefix(err.Error(), "SPIRO_URL has several URLs and takes one") {
		t.Errorf("two servers in the environment: %v", err)
	}
}
