package highstate_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/internal/dev/streams"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// causes returns the causes of the first state, a line for each.
func causes(states []highstate.State) string {
	var lines []string
	for _, c := range highstate.NewRequisites(states).Causes(&states[0]) {
		line := strings.Join(c.Chain, " > ")
		if c.State != nil {
			line += ": " + c.State.Function + " " + c.State.Comment
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func bad(key, function, comment string) highstate.State {
	sls, id, _ := strings.Cut(key, "/")
	return highstate.State{SLS: sls, ID: id, Function: function, Outcome: highstate.Bad, Comment: comment}
}

func TestCauses(t *testing.T) {
	t.Parallel()
	const failed = "One or more requisite failed: "
	for _, tt := range []struct {
		name   string
		states []highstate.State
		want   string
	}{
		{"none", []highstate.State{bad("a/x", "cmd.run", "it broke")}, ""},
		{"one", []highstate.State{bad("a/x", "cmd.run", failed+"a.y"), bad("a/y", "file.managed", "no source")}, "a.y: file.managed no source"},
		{"a chain", []highstate.State{
			bad("a/x", "cmd.run", failed+"a.y"), bad("a/y", "cmd.run", failed+"b.c.z"), bad("b.c/z", "cmd.run", failed+"d.e"), bad("d/e", "pkg.installed", "no such package"),
		}, "a.y > b.c.z > d.e: pkg.installed no such package"},
		{"several", []highstate.State{
			bad("a/x", "cmd.run", failed+"a.y, a.z"), bad("a/y", "cmd.run", failed+"a.w"), bad("a/z", "cmd.run", "z broke"), bad("a/w", "cmd.run", "w broke"),
		}, "a.z: cmd.run z broke\na.y > a.w: cmd.run w broke"},
		{"two ways to one", []highstate.State{
			bad("a/x", "cmd.run", failed+"a.y, a.z"), bad("a/y", "cmd.run", failed+"a.w"), bad("a/z", "cmd.run", failed+"a.w"), bad("a/w", "cmd.run", "w broke"),
		}, "a.y > a.w: cmd.run w broke"},
		{"commas and dots in IDs", []highstate.State{
			bad("a/x", "cmd.run", failed+"a.b, a.c, a.d.e, f"), bad("a/b, a.c", "cmd.run", "first"), bad("a/d.e, f", "cmd.run", "second"), bad("a/b", "cmd.run", "third"),
		}, "a.b, a.c: cmd.run first\na.d.e, f: cmd.run second"},
		{"an ID with two states", []highstate.State{
			bad("a/x", "service.running", failed+"a.x"), bad("a/x", "pkg.installed", "no such package"), bad("a/x", "file.managed", "no source"),
		}, "a.x: pkg.installed no such package\na.x: file.managed no source"},
		{"missing", []highstate.State{bad("a/x", "cmd.run", failed+"a.y, b.z, a.y")}, "a.y\nb.z"},
		{"one that did not fail", []highstate.State{bad("a/x", "cmd.run", failed+"a.y"), {SLS: "a", ID: "y"}}, "a.y"},
		{"a circle", []highstate.State{bad("a/x", "cmd.run", failed+"a.y"), bad("a/y", "cmd.run", failed+"a.z"), bad("a/z", "cmd.run", failed+"a.y, a.x")}, "a.y > a.z"},
		{"itself", []highstate.State{bad("a/x", "cmd.run", failed+"a.x")}, ""},
		{"nothing named", []highstate.State{bad("a/x", "cmd.run", failed)}, ""},
		{"nothing named further down", []highstate.State{bad("a/x", "cmd.run", failed+"a.y"), bad("a/y", "cmd.run", failed)}, "a.y: cmd.run " + failed},
		{"not found", []highstate.State{
			bad("a/x", "cmd.run", failed+"a.y"), bad("a/y", "cmd.run", "The following requisites were not found:\n                   require:\n                       cmd: z\n"),
		}, "a.y: cmd.run The following requisites were not found:\n                   require:\n                       cmd: z\n"},
		{"a success that says so", []highstate.State{{Comment: failed + "a.y", Outcome: highstate.OK}, bad("a/y", "cmd.run", "it broke")}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := causes(tt.states); got != tt.want {
				t.Errorf("causes\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

// TestManyRequisites: Causes ends for more requisites than any project has.
func TestManyRequisites(t *testing.T) {
	t.Parallel()
	const failed, many = "One or more requisite failed: ", 5000
	var line, star []highstate.State
	var names []string
	for i := range many {
		line = append(line, bad(fmt.Sprintf("a/%d", i), "cmd.run", fmt.Sprintf("%sa.%d", failed, i+1)))
		star = append(star, bad(fmt.Sprintf("a/%d", i), "cmd.run", "it broke"))
		names = append(names, fmt.Sprintf("a.%d", i))
	}
	star[0].Comment = failed + strings.Join(names, ", ")
	for name, states := range map[string][]highstate.State{"line": line, "star": star} {
		requisites := highstate.NewRequisites(states)
		for i := range states {
			got := requisites.Causes(&states[i])
			if len(got) > 100 || len(got) > 0 && len(got[0].Chain) > 100 {
				t.Fatalf("%s: %d causes", name, len(got))
			}
		}
	}
	if got := causes(star); !strings.HasPrefix(got, "a.1: cmd.run it broke\na.2: ") {
		t.Errorf("causes %.100s", got)
	}
}

// TestMuchToLookAt: the work for all states together is limited, not only for each.
func TestMuchToLookAt(t *testing.T) {
	t.Parallel()
	const many = 20_000
	var states []highstate.State
	for i := range many {
		comment := fmt.Sprintf("One or more requisite failed: a.%d", (i+1)%many)
		for n := range 30 {
			comment += fmt.Sprintf(", b.%d-%d", i%100, n)
		}
		states = append(states, bad(fmt.Sprintf("a/%d", i), "cmd.run", comment))
	}
	names, requisites := 0, highstate.NewRequisites(states)
	for i := range states {
		for _, c := range requisites.Causes(&states[i]) {
			names += len(c.Chain)
		}
	}
	if names < 10_000 || names > 2<<20 {
		t.Errorf("%d names are told", names)
	}
}

// TestRecordedCauses: Causes understands what Salt wrote.
func TestRecordedCauses(t *testing.T) {
	t.Parallel()
	for event := range client.ReadEvents(bytes.NewReader(streams.Read("states-failed"))) {
		if event.Result == nil {
			continue
		}
		states := highstate.Parse(event.Result).States
		i := slices.IndexFunc(states, func(s highstate.State) bool { return s.LacksRequisite() })
		if i < 0 {
			t.Fatal("no state lacks a requisite")
		}
		got := highstate.NewRequisites(states).Causes(&states[i])
		if len(got) != 1 || !slices.Equal(got[0].Chain, []string{"app.bad"}) || got[0].State == nil || got[0].State.Function != "cmd.run" {
			t.Errorf("%s: %+v", states[i].ID, got)
		}
	}
}

// FuzzCauses: Causes ends for any comments.
func FuzzCauses(f *testing.F) {
	f.Add("a.y, a.z", "a.x", "y", "z, a")
	f.Add(", , ", "", "", ", ")
	f.Fuzz(func(t *testing.T, first, second, id, other string) {
		const failed = "One or more requisite failed: "
		states := []highstate.State{bad("a/x", "cmd.run", failed+first), bad("a/"+id, "cmd.run", failed+second), bad("a/"+other, "cmd.run", "it broke")}
		requisites := highstate.NewRequisites(states)
		for i := range states {
			for _, c := range requisites.Causes(&states[i]) {
				if len(c.Chain) == 0 || c.State == &states[i] {
					t.Errorf("%+v: %+v", states, c)
				}
			}
		}
	})
}
