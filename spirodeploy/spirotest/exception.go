package spirotest

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
)

// exception is an error as Python names it.
type exception struct {
	class   string
	message string
}

func (e exception) Error() string { return e.class + ": " + e.message }

// errnoClasses are the classes that Python has for errors of the system.
var errnoClasses = map[syscall.Errno]string{
	syscall.EACCES:  "PermissionError",
	syscall.EEXIST:  "FileExistsError",
	syscall.EISDIR:  "IsADirectoryError",
	syscall.ENOENT:  "FileNotFoundError",
	syscall.ENOTDIR: "NotADirectoryError",
	syscall.EPERM:   "PermissionError",
}

// traceback is the last line of a Python traceback about an error, the line
// break included: the msg of an exception event.
func traceback(err error) string {
	var (
		e     exception
		errno syscall.Errno
		at    *fs.PathError
	)
	switch {
	case errors.As(err, &e):
	case !errors.As(err, &errno):
		e = exception{"RuntimeError", err.Error()}
	default:
		text := errno.Error()
		e.class = cmp.Or(errnoClasses[errno], "OSError")
		e.message = fmt.Sprintf("[Errno %d] %s", int(errno), strings.ToUpper(text[:1])+text[1:])
		if errors.As(err, &at) {
			e.message += fmt.Sprintf(": '%s'", at.Path)
		}
	}
	return e.Error() + "\n"
}
