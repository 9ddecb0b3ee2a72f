package spirofs_test

import (
	"bytes"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/internal/dev/salt"
	"github.com/spirostack/spirodeploy/internal/dev/streams"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// TestVersions: a highstate is read as the same from each version of Salt. TestMatrix
// compares these streams with those of real masters.
func TestVersions(t *testing.T) {
	t.Parallel()
	// The outcomes of the states in the situation "requisites", and why some did not run.
	outcomes := map[string]highstate.Outcome{
		"good": highstate.Changed, "same": highstate.OK, "bad": highstate.Bad,
		"after-bad": highstate.Bad, "after-after-bad": highstate.Bad, "any": highstate.OK, "none": highstate.Bad,
		"watched": highstate.Changed, "unchanged": highstate.OK, "changed": highstate.OK,
		"failed": highstate.OK, "not-failed": highstate.OK, "unless": highstate.OK, "onlyif": highstate.OK,
		"first": highstate.OK, "warned": highstate.OK, "no-such": highstate.Bad,
	}
	causes := map[string]string{"after-bad": "bad", "after-after-bad": "bad", "none": "bad"}
	for _, version := range salt.Versions {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			result := replayed(t, version, "requisites")
			if result.Status != highstate.Failed || result.Retcode != 2 {
				t.Fatalf("the minion is %s with %d: %q", result.Status, result.Retcode, result.Messages)
			}
			got := map[string]highstate.Outcome{}
			requisites := highstate.NewRequisites(result.States)
			for i := range result.States {
				s := &result.States[i]
				if strings.HasPrefix(s.ID, "listen") { // once as itself, once as what it listened for
					continue
				}
				got[s.ID] = s.Outcome
				found := requisites.Causes(s)
				if want := causes[s.ID]; want == "" && len(found) > 0 || want != "" && !slices.ContainsFunc(found, func(c highstate.Cause) bool { return c.State != nil && c.State.ID == want }) {
					t.Errorf("%s: the causes are %+v, want %q", s.ID, found, want)
				}
				if s.ID == "warned" && !slices.Equal(s.Warnings, []string{"careful"}) {
					t.Errorf("the warnings are %q", s.Warnings)
				}
			}
			if !maps.Equal(got, outcomes) {
				t.Errorf("the outcomes are\n%v, want\n%v", got, outcomes)
			}

			// Salt 3008 does not compile this. Earlier versions do, and the state fails.
			result = replayed(t, version, "requisite-missing")
			want := highstate.Failed
			if version == salt.Newest {
				want = highstate.NotCompiled
			}
			if result.Status != want || !strings.Contains(textOf(result), "nowhere") {
				t.Errorf("a missing requisite: %s, %q, want %s", result.Status, textOf(result), want)
			}

			if stream := stored(t, version, "not-a-number"); !bytes.Contains(stream, []byte(`"high": Infinity`)) || !bytes.Contains(stream, []byte(`"low": NaN`)) {
				t.Errorf("the numbers that are none are\n%s", stream)
			}
		})
	}
}

// TestOldest: the stream that the tests of all other packages read is that of Salt 3005,
// without the addition of spirofs-compat.
func TestOldest(t *testing.T) {
	t.Parallel()
	oldest := salt.Versions[len(salt.Versions)-1]
	got := bytes.Replace(stored(t, oldest, "states-failed"), []byte(`, "missing": []`), nil, 1)
	if want := streams.Read("states-failed"); !salt.Same(got, want) {
		t.Errorf("Salt %s sends\n%s\nwant\n%s", oldest, got, want)
	}
}

func textOf(r highstate.Result) string {
	text := strings.Join(r.Messages, "\n")
	for _, s := range r.States {
		text += s.Comment
	}
	return text
}

func stored(t *testing.T, version, name string) []byte {
	t.Helper()
	stream, err := os.ReadFile(versionFile(version, name))
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

// replayed returns the result of the one minion in a stored stream.
func replayed(t *testing.T, version, name string) highstate.Result {
	t.Helper()
	for event, err := range client.ReadEvents(bytes.NewReader(stored(t, version, name))) {
		if err != nil {
			t.Fatal(err)
		}
		if event.Name == client.HighstateUpdate {
			return highstate.Parse(event.Result)
		}
	}
	t.Fatalf("no minion has reported in %s of Salt %s", name, version)
	return highstate.Result{}
}
