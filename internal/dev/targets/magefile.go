//go:build mage

// The targets that others import, for this repository's tests and for trying them: go
// tool mage -d internal/dev/targets -w . spiro:deploy shop prod. They are not in the
// repository's own magefile since they take long to compile, above all Dagger's SDK.
package main

import (
	//mage:import spiro
	_ "github.com/spirostack/spirodeploy/spirodeploy/targets"

	//mage:import dagger
	_ "github.com/spirostack/spirodeploy/spirodeploy/targets/engine"
)
