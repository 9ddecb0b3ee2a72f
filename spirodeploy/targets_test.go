package spirodeploy_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

// fleet starts servers and returns them with the options to deploy to all of them.
func fleet(t *testing.T, minions ...spirotest.Minion) ([]*spirotest.Server, spirodeploy.Options) {
	t.Helper()
	dir := project(t, states)
	var servers []*spirotest.Server
	var opts spirodeploy.Options
	for i, m := range minions {
		server := spirotest.New(t, spirotest.Options{TLS: i%2 == 0, Minions: []spirotest.Minion{m}})
		one := options(t, server, dir)
		opts.Project, opts.Deployment, opts.Bundle = one.Project, one.Deployment, one.Bundle
		opts.Targets = append(opts.Targets, spirodeploy.Target{Name: fmt.Sprintf("site%d", i), Server: &one.Server})
		servers = append(servers, server)
	}
	return servers, opts
}

func several(n int) []spirotest.Minion {
	var all []spirotest.Minion
	for i := range n {
		all = append(all, spirotest.Minion{ID: fmt.Sprintf("web%d", i)})
	}
	return all
}

var failing = spirotest.States(spirotest.State{SLS: "web", ID: "bad", Function: "test.nop", Result: spirotest.Failed})

// verdicts returns the verdicts of the targets, in their order.
func verdicts(rep *report.Report) string {
	var all []string
	for _, t := range rep.Targets {
		all = append(all, string(t.Verdict))
	}
	return strings.Join(all, ", ")
}

// TestTargets checks that all servers get the same bundle, that each target has its own
// verdict, and that updates have the target's name.
func TestTargets(t *testing.T) {
	t.Parallel()
	minions := several(20)
	minions[7].Result = failing
	servers, opts := fleet(t, minions...)
	told := map[string]int{}
	opts.Watch = func(u report.Update) {
		if u.Kind == report.Happened {
			told[u.Target]++
		}
	}
	rep, err := spirodeploy.Deploy(t.Context(), opts)
	if rep.Verdict != report.MinionFailed || rep.ExitStatus != 1 {
		t.Errorf("%s (%d)", rep.Verdict, rep.ExitStatus)
	}
	if want := "site7: shop/prod: 1 of 1 minion failed (web7)"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	for i, server := range servers {
		target := rep.Targets[i]
		d, ok := server.Deployment("shop", "prod")
		if !ok || d.Digest != rep.Targets[0].Bundle.Digest.String() || target.Bundle.Digest != rep.Targets[0].Bundle.Digest {
			t.Errorf("%s has %s, want %s", target.Name, d.Digest, rep.Targets[0].Bundle.Digest)
		}
		if ok := target.Verdict == report.Success; ok != (i != 7) || len(target.Minions) != 1 || target.Minions[0].ID != fmt.Sprintf("web%d", i) {
			t.Errorf("%s: %s, %+v", target.Name, target.Verdict, target.Minions)
		}
		if told[target.Name] != len(target.Events) {
			t.Errorf("%s: %d events were told, of %d", target.Name, told[target.Name], len(target.Events))
		}
	}
}

// TestSerial checks that Serial stops after the first target that fails.
func TestSerial(t *testing.T) {
	t.Parallel()
	minions := several(4)
	minions[1].Result = failing
	servers, opts := fleet(t, minions...)
	opts.Serial = true
	rep, err := spirodeploy.Deploy(t.Context(), opts)
	if got := verdicts(rep); got != "success, minion-failed, not-started, not-started" || rep.Verdict != report.MinionFailed {
		t.Errorf("verdicts %s, in all %s", got, rep.Verdict)
	}
	if want := "site2, site3: shop/prod: not deployed: not begun, since site1 failed"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %s", err, want)
	}
	if got := []int{posts(servers[0]), posts(servers[1]), posts(servers[2]), posts(servers[3])}; !slices.Equal(got, []int{1, 1, 0, 0}) {
		t.Errorf("posts %v", got)
	}
}

// TestMaxParallel checks that no more targets than the limit are deployed to at once.
func TestMaxParallel(t *testing.T) {
	t.Parallel()
	_, opts := fleet(t, several(9)...)
	opts.MaxParallel = 3
	on, most := map[string]bool{}, 0
	opts.Watch = func(u report.Update) {
		switch {
		case u.Target == "":
		case u.Kind == report.Began && u.Stage == report.Checking:
			on[u.Target] = true
			most = max(most, len(on))
		case u.Kind == report.Ended && u.Stage == report.Highstate:
			delete(on, u.Target)
		}
	}
	rep, err := spirodeploy.Deploy(t.Context(), opts)
	// The next target may begin before the stream of the last one is closed.
	if err != nil || most == 0 || most > opts.MaxParallel {
		t.Errorf("%d at once, %v: %s", most, err, verdicts(rep))
	}
}

// TestTargetsInvalid checks that a problem with one target keeps Deploy from sending
// anything, and that problems of the bundle are reported once.
func TestTargetsInvalid(t *testing.T) {
	t.Parallel()
	servers, opts := fleet(t, several(3)...)
	other, err := token.Parse(servers[1].Token(time.Hour, "blog"))
	if err != nil {
		t.Fatal(err)
	}
	good := opts.Targets[1].Server.Token
	opts.Targets[1].Server.Token = other
	rep, err := spirodeploy.Deploy(t.Context(), opts)
	if rep.Verdict != report.Invalid || strings.Count(verdicts(rep), string(report.Invalid)) != 3 {
		t.Errorf("%s: %v", verdicts(rep), err)
	}
	if err == nil || !strings.Contains(err.Error(), "site1: shop/prod: not deployed: ") || !strings.Contains(err.Error(), "site0, site2: shop/prod: not deployed: nothing was sent because another target has a problem") {
		t.Errorf("error %v", err)
	}
	opts.Targets[1].Server.Token = good
	opts.Targets[2].Name = "site0"
	opts.Problems = []error{errors.New("a problem of all")}
	_, err = spirodeploy.Deploy(t.Context(), opts)
	if err == nil || strings.Count(err.Error(), "a problem of all") != 1 || !strings.Contains(err.Error(), `two targets are called "site0"`) {
		t.Errorf("error %v", err)
	}
	for i, s := range servers {
		if n := posts(s); n != 0 {
			t.Errorf("server %d got %d bundles", i, n)
		}
	}
}
