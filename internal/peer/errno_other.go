//go:build !windows

package peer

import "syscall"

// Errors of the system about connections. Windows has other numbers for them.
var (
	refused = []error{syscall.ECONNREFUSED}
	noRoute = []error{syscall.EHOSTUNREACH, syscall.ENETUNREACH}
	tooLate = []error{syscall.ETIMEDOUT}
	cut     = []error{syscall.ECONNRESET, syscall.ECONNABORTED, syscall.EPIPE}
)
