// Package boot makes the module's executable do a step and exit if it runs in the
// container of one. The main package imports it for that alone.
//
// It has to come before the code that Dagger generates, whose initialisation
// needs a session of the engine and panics without one. A package is initialised
// once all that it imports is, and among those that are ready the one with the
// first import path (the Go specification, "Program initialization"). This one
// imports less than internal/dagger does, and its path is the first.
package boot

import (
	"os"

	"github.com/spirostack/spirodeploy/internal/module/step"
)

func init() {
	if options, ok := os.LookupEnv(step.Env); ok {
		os.Exit(step.Main(options))
	}
}
