package spirotest

import (
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
	var e exception
	if !errors.As(err, &e) {
		e = exceptionOf(err)
	}
	return e.Error() + "\n"
}

func exceptionOf(err error) exception {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return exception{"RuntimeError", err.Error()}
	}
	class := errnoClasses[errno]
	if class == "" {
		class = "OSError"
	}
	text := errno.Error()
	message := fmt.Sprintf("[Errno %d] %s", int(errno), strings.ToUpper(text[:1])+text[1:])
	var at *fs.PathError
	if errors.As(err, &at) {
		message += fmt.Sprintf(": '%s'", at.Path)
	}
	return exception{class, message}
}
