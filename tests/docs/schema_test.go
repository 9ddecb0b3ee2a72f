package docs_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/tests/docs/example"
)

// schema returns the schema of the JSON report, as it is.
func schema(t *testing.T) map[string]any {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(read(t, filepath.Join(example.Root, "docs", "report.schema.json"))))
	if err != nil {
		t.Fatal(err)
	}
	return doc.(map[string]any)
}

// compile returns a part of the schema that checks values. It refuses members that the
// schema does not describe.
func compile(t *testing.T, part string) *jsonschema.Schema {
	t.Helper()
	doc := schema(t)
	strict := func(object any) {
		if object := object.(map[string]any); object["properties"] != nil {
			object["additionalProperties"] = false
		}
	}
	strict(doc)
	for _, object := range doc["$defs"].(map[string]any) {
		strict(object)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("report.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("report.json" + part)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// testdata has the pinned reports.
var testdata = filepath.Join(example.Root, "spirodeploy", "report", "view", "testdata")

// TestSchema: the pinned reports fit the schema, and an unfinished report does not.
func TestSchema(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(testdata, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d reports, %v", len(files), err)
	}
	s := compile(t, "")
	for _, file := range files {
		// The pinned reports have a word in place of each time.
		pinned := strings.ReplaceAll(read(t, file), `"TIME"`, `"2026-11-23T12:00:00.5+01:00"`)
		if err := holds(s, pinned); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	var now bytes.Buffer
	if err := report.New(report.Request{}).WriteJSON(&now); err != nil {
		t.Fatal(err)
	}
	if holds(s, now.String()) == nil {
		t.Error("a report without a verdict is taken")
	}
}

// TestLines: a minion looks the same in the report and in the lines of a run that goes
// on.
func TestLines(t *testing.T) {
	t.Parallel()
	s := compile(t, "#/$defs/minion")
	minions := 0
	for line := range strings.Lines(read(t, filepath.Join(testdata, "states-failed.ndjson"))) {
		var told struct{ Minion json.RawMessage }
		if err := json.Unmarshal([]byte(line), &told); err != nil {
			t.Fatal(err)
		}
		if told.Minion == nil {
			continue
		}
		minions++
		if err := holds(s, string(told.Minion)); err != nil {
			t.Error(err)
		}
	}
	if minions == 0 {
		t.Error("there is no minion in the lines")
	}
}

func holds(s *jsonschema.Schema, text string) error {
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return err
	}
	return s.Validate(value)
}

// TestMembers: the schema describes every member that a report can have, no
// others, and requires those that are always there.
func TestMembers(t *testing.T) {
	t.Parallel()
	doc := schema(t)
	defs := doc["$defs"].(map[string]any)
	for _, tt := range []struct {
		name   string
		object any
		of     reflect.Type
	}{
		{"report", doc, reflect.TypeFor[report.Report]()}, {"target", defs["target"], reflect.TypeFor[report.Target]()},
		{"bundle", defs["bundle"], reflect.TypeFor[report.Bundle]()}, {"content", defs["content"], reflect.TypeFor[report.Content]()},
		{"event", defs["event"], reflect.TypeFor[report.Event]()}, {"minion", defs["minion"], reflect.TypeFor[report.Minion]()},
		{"counts", defs["counts"], reflect.TypeFor[highstate.Counts]()}, {"state", defs["state"], reflect.TypeFor[highstate.State]()},
	} {
		object := tt.object.(map[string]any)
		described := slices.Sorted(maps.Keys(object["properties"].(map[string]any)))
		var required []string
		for _, name := range object["required"].([]any) {
			required = append(required, name.(string))
		}
		slices.Sort(required)
		all, always := members(tt.of)
		if got, want := fmt.Sprint(described, required), fmt.Sprint(all, always); got != want {
			t.Errorf("%s: the schema has\n%s, and the report\n%s", tt.name, got, want)
		}
	}
}

// members returns the names of a struct's members in JSON, and of those that are
// never left out.
func members(of reflect.Type) (all, always []string) {
	for _, field := range reflect.VisibleFields(of) {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			continue
		}
		all = append(all, name)
		if !strings.Contains(options, "omitempty") {
			always = append(always, name)
		}
	}
	slices.Sort(all)
	slices.Sort(always)
	return all, always
}
