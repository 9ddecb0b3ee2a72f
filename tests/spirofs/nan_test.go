package spirofs_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/internal/salt"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// TestNaN: Python writes numbers that JSON has not, Infinity and NaN, into a minion's
// result. All minions are reported all the same, each as what it is, and the report
// is valid JSON.
func TestNaN(t *testing.T) {
	t.Parallel()
	w := shared(t)
	m, err := w.env.Start(t.Context(), salt.Options{Minions: []salt.Minion{{ID: "web1"}, {ID: "web2"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, m)
	notANumber(t, m)
}

// notANumber is TestNaN for a master with the minions web1 and web2.
func notANumber(t *testing.T, m *salt.Master) {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "_salt"), os.DirFS(filepath.Join("testdata", "nan"))); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "report.json")
	args := []string{"--dir", dir, "--report", "json=" + file, "nan", "prod"}
	if m.Certificate == nil {
		args = append([]string{"--insecure"}, args...)
	} else {
		args = append([]string{"--ssl-cert", certificate(t, m)}, args...)
	}
	cmd := command(t, m, "nan", args...)
	run(t, cmd).check(t, 1, "FAILURE: nan/prod: 1 of 2 minions")
	var rep report.Report
	if err := json.Unmarshal([]byte(content(t, file)), &rep); err != nil {
		t.Fatalf("the report is no JSON: %v", err)
	}
	var got []string
	for _, minion := range rep.Targets[0].Minions {
		got = append(got, minion.ID+" "+string(minion.Status))
	}
	slices.Sort(got)
	if want := "web1 succeeded, web2 failed"; strings.Join(got, ", ") != want {
		t.Errorf("the minions are %q want %s", got, want)
	}
}
