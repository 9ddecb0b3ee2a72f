package module

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spirostack/spirodeploy/internal/preflight"
	"github.com/spirostack/spirodeploy/spirodeploy"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
)

// contradictions returns what is wrong with the arguments of a deployment by themselves. The
// command refuses the same.
func contradictions(opts spirodeploy.Options, servers []string) (errs []error) {
	useless := func(flag, with string) {
		errs = append(errs, &fault.Error{Err: fmt.Errorf("%s has no effect with %s", flag, with), Help: "leave one of them out"})
	}
	if len(servers) == 0 {
		if err := checkServer(opts.Server); err != nil {
			errs = append(errs, err)
		}
	}
	if opts.NoHighstate && len(opts.ExpectMinions) > 0 {
		useless("--expect-minions", "--highstate=false, which asks no minion")
	}
	if opts.NoHighstate && opts.MinMinions != 0 {
		useless("--min-minions", "--highstate=false, which asks no minion")
	}
	if opts.Serial && opts.MaxParallel != 0 {
		useless("--max-parallel", "--serial")
	}
	for _, id := range opts.ExpectMinions {
		if preflight.CheckMinion("", id) == nil { // else the library refuses it
			errs = append(errs, preflight.CheckTyped("--expect-minions", id))
		}
	}
	return errs
}

// checkServer returns an error if the server's URL is blank: most often a variable is not
// set, and the module must not go to the default server.
func checkServer(opts client.Options) error {
	if isBlank(opts.Server) {
		return errors.New("--server is given and empty: is a variable not set?")
	}
	return nil
}

func isBlank(s string) bool { return strings.TrimSpace(s) == "" }
