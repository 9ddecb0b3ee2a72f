package peer

import "syscall"

// Errors of Windows Sockets about connections ("Windows Sockets Error Codes"). On
// Windows, Go invents the numbers of syscall.ECONNREFUSED and its like, and no
// connection fails with them.
const (
	wsaENetDown     = syscall.Errno(10050)
	wsaENetUnreach  = syscall.Errno(10051)
	wsaENetReset    = syscall.Errno(10052)
	wsaEShutdown    = syscall.Errno(10058)
	wsaETimedOut    = syscall.Errno(10060)
	wsaEConnRefused = syscall.Errno(10061)
	wsaEHostDown    = syscall.Errno(10064)
	wsaEHostUnreach = syscall.Errno(10065)
)

var (
	refused = []error{wsaEConnRefused}
	noRoute = []error{wsaEHostUnreach, wsaENetUnreach, wsaEHostDown, wsaENetDown}
	tooLate = []error{wsaETimedOut}
	cut     = []error{syscall.WSAECONNRESET, syscall.WSAECONNABORTED, syscall.ERROR_NETNAME_DELETED, wsaENetReset, wsaEShutdown}
)
