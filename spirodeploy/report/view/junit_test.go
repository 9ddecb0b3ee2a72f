package view_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jstemmer/go-junit-report/v2/junit"

	"github.com/spirostack/spirodeploy/internal/dev/runs"
	"github.com/spirostack/spirodeploy/internal/dev/streams"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/report/view"
)

// suites reads JUnit XML.
func suites(t testing.TB, text string) junit.Testsuites {
	t.Helper()
	var all junit.Testsuites
	if err := xml.Unmarshal([]byte(text), &all); err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	return all
}

// red returns how many tests failed.
func red(all junit.Testsuites) int {
	n := 0
	for _, s := range all.Suites {
		n += s.Failures + s.Errors
	}
	return n
}

func TestJUnitRecorded(t *testing.T) {
	t.Parallel()
	times := regexp.MustCompile(` timestamp="[^"]*"|(name="shop/prod"[^>]*|name="deployment"[^>]*) time="[^"]*"`)
	for _, name := range streams.All {
		rep := runs.Fold(streams.Read(name), name != "no-highstate", nil)
		text := runs.Show(t, rep, "junit")
		pinned(t, name+".junit.xml", []byte(times.ReplaceAllString(text, `$1`)))
		if n := red(suites(t, text)); n > 0 != (rep.ExitStatus > 0) {
			t.Errorf("%s: %d tests failed, and the exit status is %d", name, n, rep.ExitStatus)
		}
	}
}

// TestJUnitNeverGreen: a test fails if and only if the verdict is not Success.
func TestJUnitNeverGreen(t *testing.T) {
	t.Parallel()
	const (
		start = "event: deploy-bundle\ndata: {}\n\nevent: highstate-start\ndata: {\"minions\": [\"a\"]}\n\n"
		good  = start + `event: highstate-update` + "\n" + `data: {"minion": "a", "result": {"ret": {"m_|-i_|-n_|-f": {"result": true}}}}` + "\n\n"
		odd   = start + `event: highstate-update` + "\n" + `data: {"minion": "a", "result": {"ret": {"m_|-i_|-n_|-f": {"result": true}}, "retcode": 2}}` + "\n\n"
		none  = start + `event: highstate-update` + "\n" + `data: {"minion": "a", "result": {"ret": {}}}` + "\n\n"
		done  = "event: highstate-finish\ndata: {}\n\n"
		boom  = "event: exception\ndata: {\"msg\": \"boom\"}\n\n"
	)
	for _, tt := range []struct {
		name, stream string
		err          error
		says         string
	}{
		{"all well", good + done, nil, ""},
		{"a return code", odd + done, nil, "no state failed, but Salt's return code is 2"},
		{"no states", none + done, nil, "No states ran."},
		{"no report", start + done, nil, "it did not report"},
		{"cut", good, nil, "the server ended the stream of events too early"},
		{"exception", good + boom, nil, "boom"},
		{"unreachable", "", &client.TransportError{Op: "deploy", Err: errors.New("no route")}, "no route"},
		{"invalid", "", errors.New("bad options"), "bad options"},
		{"interrupted", good, report.ErrInterrupted, "interrupted"},
		{"no minions", strings.Replace(start, `"a"`, "", 1) + done, nil, "no minion is concerned"},
	} {
		rep := runs.Fold([]byte(tt.stream), true, tt.err, func(t *report.Target) { t.RequireMinions = true })
		text := runs.Show(t, rep, "junit")
		if n := red(suites(t, text)); n > 0 != (rep.ExitStatus > 0) || n > 0 != (tt.says != "") || !strings.Contains(text, strings.ReplaceAll(tt.says, "'", "&#39;")) {
			t.Errorf("%s: %d tests failed, exit status %d, want %q in\n%s", tt.name, n, rep.ExitStatus, tt.says, text)
		}
	}
}

// TestJUnitHostile: names are unique, and no text becomes XML.
func TestJUnitHostile(t *testing.T) {
	t.Parallel()
	for _, s := range suites(t, runs.Show(t, hostile(t), "junit")).Suites {
		seen := map[string]bool{}
		for _, test := range s.Testcases {
			key := test.Classname + "\x00" + test.Name
			if seen[key] {
				t.Errorf("%q is there twice", key)
			}
			seen[key] = true
		}
		if s.Tests != len(s.Testcases) || s.Tests == 0 {
			t.Errorf("%q has %d of %d tests", s.Name, len(s.Testcases), s.Tests)
		}
	}
}

// TestJUnitSchema holds the files against the schema of Jenkins, which is a part
// of pytest's sources.
func TestJUnitSchema(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("pip fetches the schema")
	}
	const (
		pytest = "pytest==8.3.4"
		schema = "pytest-8.3.4/testing/example_scripts/junit-10.xsd"
	)
	xmllint, python, dir := need(t, "xmllint"), need(t, "python3"), t.TempDir()
	venv := filepath.Join(dir, "venv")
	for _, args := range [][]string{
		{python, "-m", "venv", venv}, // not every Python has pip, and a new one always
		{filepath.Join(venv, "bin", "python"), "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-binary", ":all:", "--dest", dir, pytest},
		{"tar", "-xzf", filepath.Join(dir, "pytest-8.3.4.tar.gz"), "-C", dir, schema},
	} {
		cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
		if out, err := cmd.CombinedOutput(); err != nil {
			lack(t, "there is no schema: "+string(out))
		}
	}
	files := []string{"--noout", "--schema", filepath.Join(dir, schema)}
	write := func(name string, rep *report.Report) {
		path := filepath.Join(dir, name+".xml")
		if err := os.WriteFile(path, []byte(runs.Show(t, rep, "junit")), 0o644); err != nil {
			t.Fatal(err)
		}
		files = append(files, path)
	}
	for _, name := range streams.All {
		write(name, runs.Fold(streams.Read(name), name != "no-highstate", nil))
	}
	write("hostile", hostile(t))
	write("unreachable", runs.Fold(nil, true, &client.TransportError{Op: "deploy", Err: io.EOF}))
	if out, err := exec.CommandContext(t.Context(), xmllint, files...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	// The schema is one that says no.
	bad := filepath.Join(dir, "bad.xml")
	if err := os.WriteFile(bad, []byte(`<testsuites><testcase/></testsuites>`), 0o644); err != nil {
		t.Fatal(err)
	}
	if exec.CommandContext(t.Context(), xmllint, "--noout", "--schema", filepath.Join(dir, schema), bad).Run() == nil {
		t.Error("the schema takes anything")
	}
}

// need returns a program, or skips the test unless everything must be there.
func need(t *testing.T, program string) string {
	t.Helper()
	found, err := exec.LookPath(program)
	if err != nil {
		lack(t, "there is no "+program)
	}
	return found
}

func lack(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s, and CI=true demands it", what)
	}
	t.Skip(what)
}

// TestJUnitBrief: the states that a brief report has are shown, and that others are not.
func TestJUnitBrief(t *testing.T) {
	t.Parallel()
	var states []string
	for i := range 20 {
		states = append(states, fmt.Sprintf(`"test_|-s%d_|-s%d_|-nop": {"result": %t, "comment": "said %d", "__run_num__": %d}`, i, i, i != 7, i, i))
	}
	rep := report.New(report.Request{Project: "shop", Deployment: "prod", Highstate: true})
	rep.Brief = true
	if _, err := rep.Targets[0].Add(client.Event{
		Name: client.HighstateUpdate, Minion: "web1", Result: json.RawMessage(`{"ret": {` + strings.Join(states, ", ") + `}, "retcode": 2}`),
	}); err != nil {
		t.Fatal(err)
	}
	rep.Targets[0].Finish(nil)
	rep.Finish()
	var b bytes.Buffer
	if err := view.JUnit(&b, rep); err != nil {
		t.Fatal(err)
	}
	got := b.String()
	if strings.Count(got, "<failure") != 1 || !strings.Contains(got, "said 7") || strings.Contains(got, "said 8") || !strings.Contains(got, "its states are missing: the report is brief") {
		t.Error(got)
	}
}
