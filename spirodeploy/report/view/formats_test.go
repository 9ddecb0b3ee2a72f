package view_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/spirostack/spirodeploy/internal/dev/runs"
	"github.com/spirostack/spirodeploy/internal/dev/streams"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/report/view"
)

// TestFormats: each format has a name of its own, in order, and either writes a report or
// follows a run.
func TestFormats(t *testing.T) {
	t.Parallel()
	names := view.Names()
	if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("names %q", names)
	}
	rep := runs.Fold(streams.Read("ok"), true, nil)
	for _, name := range names {
		f, ok := view.Find(name)
		if !ok || f.Name != name || f.File == "" || (f.Write == nil) == (f.Watch == nil) {
			t.Errorf("%s is %+v", name, f)
		}
		var out bytes.Buffer
		if f.Watch != nil {
			f.Watch(&out)(report.Update{Kind: report.Finished, Report: rep})
		} else if err := f.Write(&out, rep); err != nil {
			t.Error(err)
		}
		if !bytes.Contains(out.Bytes(), []byte("shop/prod")) && !bytes.Contains(out.Bytes(), []byte("shop&#47;prod")) {
			t.Errorf("%s does not name the deployment:\n%.1000s", name, &out)
		}
	}
	if _, ok := view.Find("text"); ok {
		t.Error("there is a format text")
	}
}

// TestTerminal: only a terminal gets the parts of an error on lines of their own.
func TestTerminal(t *testing.T) {
	t.Parallel()
	rep := runs.Fold(nil, true, &report.UnsentError{Err: report.ErrTimeout})
	for want, o := range map[string]view.TextOptions{
		"FAILURE: shop/prod: the time for the whole run is up\n  allow more with --timeout\n": {Detail: view.Quiet, Terminal: true},
		"FAILURE: shop/prod: the time for the whole run is up: allow more with --timeout\n":   {Detail: view.Quiet},
	} {
		var out bytes.Buffer
		if err := view.Text(&out, rep, o); err != nil || out.String() != want {
			t.Errorf("%q, %v, want %q", out.String(), err, want)
		}
	}
}
