//go:build !windows

package peer

import "syscall"

// What the system says of connections. Windows has other numbers for it.
var (
	refused = []error{syscall.ECONNREFUSED}
	noRoute = []error{syscall.EHOSTUNREACH, syscall.ENETUNREACH}
	tooLate = []error{syscall.ETIMEDOUT}
	cut     = []error{syscall.ECONNRESET, syscall.ECONNABORTED, syscall.EPIPE}
)
