package spirofs_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// TestNaN: Python writes numbers into a minion's result that JSON does not have, Infinity
// and NaN. The report still has all minions with their results, and is valid JSON.
func TestNaN(t *testing.T) {
	t.Parallel()
	m := plain(t)
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "_salt"), os.DirFS(filepath.Join("testdata", "nan"))); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "report.json")
	// In this test the failing minion is db1.
	write(t, filepath.Join(dir, "_salt", "spirotop.sls"), strings.Replace(content(t, filepath.Join(dir, "_salt", "spirotop.sls")), "web2", "db1", 1))
	run(t, command(t, m, "nan", "--dir", dir, "--insecure", "--report", "json="+file, "nan", "prod")).check(t, 1, "FAILURE: nan/prod: 1 of 2 minions")
	var rep report.Report
	if err := json.Unmarshal([]byte(content(t, file)), &rep); err != nil {
		t.Fatalf("the report is not JSON: %v", err)
	}
	var got []string
	for _, minion := range rep.Targets[0].Minions {
		got = append(got, minion.ID+" "+string(minion.Status))
	}
	slices.Sort(got)
	if want := "db1 failed, web1 succeeded"; strings.Join(got, ", ") != want {
		t.Errorf("the minions are %q want %s", got, want)
	}
}
