package peer

import (
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/windows"
)

// TestWinsock checks what the client says for the numbers of Windows.
func TestWinsock(t *testing.T) {
	t.Parallel()
	c := Peer{Who: "the server", Patience: time.Second}
	for _, tt := range []struct {
		op   string
		err  syscall.Errno
		want string
	}{
		{"dial", windows.WSAECONNREFUSED, "nothing listens on 192.0.2.1:4510"},
		{"dial", windows.WSAEHOSTUNREACH, "there is no route to 192.0.2.1:4510"},
		{"dial", windows.WSAENETUNREACH, "there is no route to 192.0.2.1:4510"},
		{"dial", windows.WSAETIMEDOUT, "connecting to 192.0.2.1:4510 took longer"},
		{"read", windows.WSAECONNRESET, "the connection was cut"},
		{"write", windows.WSAECONNABORTED, "the connection was cut"},
		{"write", windows.WSAESHUTDOWN, "the connection was cut"},
	} {
		op := &net.OpError{Op: tt.op, Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 4510}, Err: os.NewSyscallError("wsa", tt.err)}
		if what, _ := c.Explain(fmt.Errorf("post: %w", op)); !strings.HasPrefix(what, tt.want) {
			t.Errorf("%s: %d is %q, want %q", tt.op, tt.err, what, tt.want)
		}
	}
}

// TestNothingListens checks what Windows itself returns.
func TestNothingListens(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = net.DialTimeout("tcp", address, 10*time.Second)
	if what, _ := (Peer{}).Explain(err); what != "nothing listens on "+address {
		t.Errorf("%v is %q", err, what)
	}
}
