package view_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/internal/dev/runs"
	"github.com/spirostack/spirodeploy/internal/dev/streams"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/report/view"
)

var update = flag.Bool("update", false, "write the pinned views anew")

func TestRecorded(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		verdict report.Verdict
		status  int
		says    string
	}{
		"ok":                    {report.Success, 0, "shop/prod deployed: 1 minion, 2 states, 2 changed"},
		"states-failed":         {report.MinionFailed, 1, "shop/prod: 1 of 1 minion failed (web1)"},
		"render-failed":         {report.MinionFailed, 1, "shop/prod: 1 of 1 minion failed (web1)"},
		"minion-not-responding": {report.MinionFailed, 1, "shop/prod: 1 of 2 minions failed (db1)"},
		"no-minions":            {report.Success, 0, "shop/prod deployed, no minion is concerned"},
		"no-highstate":          {report.Success, 0, "shop/prod deployed, without a highstate"},
		"exception":             {report.ServerFailed, 4, "the server failed: FileExistsError: [Errno 17]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rep := runs.Fold(streams.Read(name), name != "no-highstate", nil)
			if rep.Verdict != want.verdict || rep.ExitStatus != want.status || !strings.Contains(rep.Targets[0].Summary, want.says) {
				t.Errorf("%s (%d) %q, want %s (%d) %q", rep.Verdict, rep.ExitStatus, rep.Targets[0].Summary, want.verdict, want.status, want.says)
			}
			err := rep.Err()
			var with *report.Error
			switch {
			case want.status == 0 && err != nil:
				t.Errorf("Err is %v", err)
			case want.status != 0 && (!errors.As(err, &with) || with.ExitStatus() != want.status || !strings.Contains(err.Error(), want.says)):
				t.Errorf("Err is %v, want one with status %d that says %q", err, want.status, want.says)
			}
			var text bytes.Buffer
			if err := view.Text(&text, rep, view.TextOptions{}); err != nil {
				t.Fatal(err)
			}
			pinned(t, name+".txt", text.Bytes())
			var out bytes.Buffer
			if err := rep.WriteJSON(&out); err != nil {
				t.Fatal(err)
			}
			times := regexp.MustCompile(`"20\d\d-[^"]*Z"|"20\d\d-[^"]*[+-]\d\d:\d\d"`)
			pinned(t, name+".json", times.ReplaceAll(out.Bytes(), []byte(`"TIME"`)))
		})
	}
}

// pinned compares a view with the one in testdata.
func pinned(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (go test -update writes it anew):\n%s", path, got)
	}
}
