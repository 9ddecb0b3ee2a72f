package peer

import "golang.org/x/sys/windows"

// Errors of Windows Sockets about connections ("Windows Sockets Error Codes"). On
// Windows, Go invents the numbers of syscall.ECONNREFUSED and its like, and no
// connection fails with them.
var (
	refused = []error{windows.WSAECONNREFUSED}
	noRoute = []error{windows.WSAEHOSTUNREACH, windows.WSAENETUNREACH, windows.WSAEHOSTDOWN, windows.WSAENETDOWN}
	tooLate = []error{windows.WSAETIMEDOUT}
	cut     = []error{windows.WSAECONNRESET, windows.WSAECONNABORTED, windows.ERROR_NETNAME_DELETED, windows.WSAENETRESET, windows.WSAESHUTDOWN}
)
