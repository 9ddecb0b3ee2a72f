package report_test

import (
	"fmt"
	"strings"

	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// A stream of a server is folded into a report, which says what came of it.
func ExampleReport() {
	rep := report.New(report.Request{Server: "https://salt.example.com:4510/", Project: "shop", Deployment: "prod", Highstate: true})
	defer func() { _ = rep.Close() }()
	target := rep.Targets[0]
	stream := strings.NewReader(`event: deploy-bundle
data: {"msg": "Deploying bundle"}

event: highstate-start
data: {"msg": "Highstating 1 minions: web1", "minions": ["web1"]}

event: highstate-update
data: {"msg": "Minion web1 finished", "minion": "web1", "result": {"retcode": 0, "ret": {
data:   "cmd_|-reload_|-/bin/true_|-run": {"__id__": "reload", "name": "/bin/true", "__sls__": "web", "__run_num__": 0,
data:     "result": true, "comment": "Command \"/bin/true\" run", "changes": {"retcode": 0}, "duration": 12.5}}}}

event: highstate-finish
data: {"msg": "Highstate complete"}

`)
	var broken error
	for e, err := range client.ReadEvents(stream) {
		if err == nil {
			_, err = target.Add(e)
		}
		if err != nil {
			broken = err
			break
		}
	}
	target.Finish(broken)
	rep.Finish()
	for _, m := range target.Minions {
		fmt.Println(m.ID, m.Status, m.Counts.Changed, "changed")
	}
	fmt.Printf("%s, exit status %d: %s\n", rep.Verdict, rep.ExitStatus, rep.Summary())
	fmt.Println(rep.Err())
	// Output:
	// web1 succeeded 1 changed
	// success, exit status 0: shop/prod deployed: 1 minion, 1 state, 1 changed
	// <nil>
}
