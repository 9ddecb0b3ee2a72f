package highstate_test

import (
	"encoding/json"
	"fmt"

	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

func ExampleParse() {
	result := highstate.Parse(json.RawMessage(`{"retcode": 2, "jid": "20260102030405678901", "ret": {
		"file_|-motd_|-/etc/motd_|-managed": {
			"__id__": "motd", "name": "/etc/motd", "__sls__": "base", "__run_num__": 0, "result": true,
			"comment": "File /etc/motd updated", "changes": {"diff": "New file"}, "duration": 6.5},
		"service_|-shop_|-shop_|-running": {
			"__id__": "shop", "name": "shop", "__sls__": "web", "__run_num__": 1, "result": false,
			"comment": "The named service shop is not available", "changes": {}, "duration": 12.25}
	}}`))
	fmt.Println(result.Status, "in job", result.JID)
	for _, s := range result.States {
		fmt.Printf("%s %s: %s: %s\n", s.Function, s.Name, s.Outcome, s.Comment)
	}
	counts := result.Counts()
	fmt.Println(counts.Succeeded, "succeeded,", counts.Changed, "changed,", counts.Failed, "failed")
	// Output:
	// failed in job 20260102030405678901
	// file.managed /etc/motd: changed: File /etc/motd updated
	// service.running shop: bad: The named service shop is not available
	// 1 succeeded, 1 changed, 1 failed
}
