// Package faults_test breaks deployments in every way that is known, and compares what a
// user sees with the table in docs/faults.md. After an intended change, "go test ./faults
// -update" in this module rewrites the table.
package faults_test

import (
	"flag"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy"
	explain "github.com/spirostack/spirodeploy/spirodeploy/fault"
	"github.com/spirostack/spirodeploy/tests/program"
)

var update = flag.Bool("update", false, "write the table in docs/faults.md anew")

func TestMain(m *testing.M) {
	flag.Parse()
	// They wait more than they work.
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err)
	}
	program.Main(m)
}

// fault is a way for a deployment to go wrong, or to succeed in spite of something.
type fault struct {
	name string
	// breaks changes a scene so that the fault happens.
	breaks func(*scene)
	// over says how the client connects: plain HTTP, TLS, or both if it is empty.
	over string
}

// groups are the parts of the table, in its order.
var groups = []struct {
	title  string
	faults []fault
}{
	{"Reaching the server", connecting},
	{"The server's certificate", certificates},
	{"The token", tokens},
	{"What is to be deployed", tops},
	{"While the bundle is sent", sending},
	{"After the bundle was sent", answers},
	{"What minions do", minions},
	{"Files of this machine", files},
}

// said are words that tell whether something may have been deployed: each
// failure must have some of them.
var said = regexp.MustCompile(`nothing was deployed|not deployed|before anything was sent|nothing was sent|may have been deployed|may be going on|had been deployed|the highstate is going on|minions? failed|shop/prod deployed|no minion is concerned|did not report|(was|were) (not )?reached`)

func TestFaults(t *testing.T) { //nolint:tparallel // finish awaits its subtests
	t.Parallel()
	table := readTable(t)
	t.Run("table", func(t *testing.T) {
		for _, g := range groups {
			for _, f := range g.faults {
				t.Run(f.name, func(t *testing.T) {
					t.Parallel()
					table.compare(t, g.title, f.name, f.outcome(t))
				})
			}
		}
	})
	table.finish(t)
}

// outcome lets a fault happen over plain HTTP and over TLS. The user must see the same.
func (f fault) outcome(t *testing.T) outcome {
	t.Helper()
	schemes := []string{"https", "http"}
	if f.over != "" {
		schemes = []string{f.over}
	}
	var outcomes []outcome
	for _, scheme := range schemes {
		s := newScene(t, scheme)
		f.breaks(s)
		o := s.run()
		if o.status != 0 && !s.local && !said.MatchString(o.message) {
			t.Errorf("over %s: %q does not say whether something may have been deployed", scheme, o.message)
		}
		// A bundle that may have arrived is never sent again.
		if n := s.posts(); n > 1 {
			t.Errorf("over %s: %d requests with a bundle", scheme, n)
		}
		outcomes = append(outcomes, o)
	}
	if len(slices.Compact(outcomes)) > 1 {
		t.Errorf("it depends on the scheme:\n%v", outcomes)
	}
	return outcomes[0]
}

// outcome is the part of a run that a user sees.
type outcome struct {
	status  int
	message string
}

// run deploys.
func (s *scene) run() outcome {
	s.t.Helper()
	if s.command != nil {
		return s.command(s)
	}
	rep, err := spirodeploy.Deploy(s.ctx, s.opts)
	message := rep.Targets[0].Summary
	if err != nil {
		message = explain.Line(err, asFlag)
	}
	return outcome{rep.ExitStatus, s.plain(message)}
}

// asFlag spells an option as the command does.
func asFlag(o explain.Option) string { return "--" + string(o) }

// variable are the parts of a message that differ from run to run, and their replacements
// in the table.
var variable = []struct {
	pattern *regexp.Regexp
	stands  string
}{
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "192.0.2.1:4510"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`), "TIME"},
	{regexp.MustCompile(`\d+ (h|min) \d+ (min|s) ago`), "1 h 2 min ago"},
	{regexp.MustCompile(`([0-9A-F]{2}:){31}[0-9A-F]{2}`), "A1:B2:…"},
	{regexp.MustCompile(`\b20\d{18}\b`), "JID"},
	{regexp.MustCompile(`x{64}`), "no-such-host"},
	{regexp.MustCompile(`\n  - `), "; "},
	{regexp.MustCompile(`temporary file in \S+:`), "temporary file in DIR:"},
}

// limits matches the limits that messages name.
var limits = regexp.MustCompile(`\b(within|for|than) (\d+[hms])+\b`)

// plain returns a message in the form of the table.
func (s *scene) plain(message string) string {
	message = strings.ReplaceAll(message, s.dir, "DIR")
	// The table says what a user sees if soon is a second.
	message = limits.ReplaceAllStringFunc(message, func(limit string) string {
		word, text, _ := strings.Cut(limit, " ")
		d, err := time.ParseDuration(text)
		if err != nil {
			s.t.Fatal(err)
		}
		return fmt.Sprintf("%s %ds", word, d/soon)
	})
	for _, v := range variable {
		message = v.pattern.ReplaceAllString(message, v.stands)
	}
	return strings.TrimSpace(message)
}
