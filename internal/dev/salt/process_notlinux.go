//go:build !linux

package salt

import "os/exec"

// endWithUs does nothing: such a command ends in a second or two.
func endWithUs(*exec.Cmd) {}
