//go:build !unix

package salt

import (
	"errors"
	"os"
	"os/exec"
)

// A Salt master needs Unix. With these functions, the packages that import this one
// compile elsewhere.

func detach(*exec.Cmd) {}

func freeze(int) error { return errors.ErrUnsupported }

func thaw(int) error { return errors.ErrUnsupported }

func tryLock(*os.File) (bool, error) { return true, nil }

func unlock(*os.File) error { return nil }
