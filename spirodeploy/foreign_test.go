package spirodeploy_test

import (
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/spirodeploy"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
)

// TestForeign checks the warning about SLS that are not in the bundle.
func TestForeign(t *testing.T) {
	t.Parallel()
	state := func(sls string) spirotest.State {
		return spirotest.State{SLS: sls, ID: sls, Function: "test.nop"}
	}
	server := spirotest.New(t, spirotest.Options{Minions: []spirotest.Minion{
		{ID: "web1", Result: spirotest.States(state("web"), state("db"), state("db.init"), state("deep.er"))},
		{ID: "web2", Result: spirotest.States(state("web"), state("other\x1b[2J"), state("more"))},
		{ID: "web3", Result: spirotest.States(state("more"))},
	}})
	files := map[string]string{"_salt/db/init.sls": "", "_salt/deep/er.sls": ""}
	for name, text := range states {
		files[name] = text
	}
	rep, err := spirodeploy.Deploy(t.Context(), options(t, server, project(t, files)))
	if err != nil {
		t.Fatal(err)
	}
	const want = `2 minions (web2, …) applied SLS that are not in this bundle (other\x1b[2J, more): another deployment of shop/prod may have run at the same time`
	if all := strings.Join(rep.Targets[0].Warnings, "\n"); rep.Verdict != report.Success || !strings.HasPrefix(all, want) || strings.Contains(all, "\n") {
		t.Errorf("%s, warnings %q", rep.Verdict, all)
	}
}
