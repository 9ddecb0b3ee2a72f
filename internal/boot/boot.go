// Package boot runs a step and exits if the module's executable runs in the container of a
// step. The main package imports it only for that.
//
// The package must be initialised before the code that Dagger generates, which needs a
// session of the engine and panics without one. Go initialises a package after its
// imports, and sorts packages that are ready by import path (the Go specification,
// "Program initialization"). This package imports less than internal/dagger, and its path
// sorts before it.
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
