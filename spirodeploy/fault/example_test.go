package fault_test

import (
	"errors"
	"fmt"

	"github.com/spirostack/spirodeploy/spirodeploy/fault"
)

// A front end spells the options in a hint in its own way.
func ExampleLine() {
	err := &fault.Error{
		What: "check token", Err: errors.New("the certificate is not trusted"), Outcome: "nothing was deployed", Help: "pass its CA as {ssl-cert}",
	}
	flag := func(o fault.Option) string { return "--" + string(o) }
	fmt.Println(fault.Line(err, flag))
	fmt.Println(fault.Line(err, nil))
	// Output:
	// check token: the certificate is not trusted: pass its CA as --ssl-cert; nothing was deployed
	// check token: the certificate is not trusted: pass its CA as client.Options.Certificate; nothing was deployed
}
