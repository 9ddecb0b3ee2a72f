//go:build !unix

package salt

import (
	"context"
	"errors"
	"os/exec"
)

// A Salt master needs Unix. This lets what imports the package compile elsewhere.

func detach(*exec.Cmd) {}

func freeze(int) error { return errors.ErrUnsupported }

func thaw(int) error { return errors.ErrUnsupported }

func lock(context.Context, string, func()) (func(), error) { return func() {}, nil }
