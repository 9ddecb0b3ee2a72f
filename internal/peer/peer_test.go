package peer_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/internal/peer"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
)

// TestExplain explains errors that a test cannot easily make happen.
func TestExplain(t *testing.T) {
	t.Parallel()
	p := peer.Peer{
		Who: "the server", CheckAddr: "check host and port", CheckURL: "check the URL", Patience: time.Second,
		Other: func(text string, _ peer.Peer) (string, fault.Hint) { return text, "" },
	}
	dial := func(ip, zone string, err error) error {
		return &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.ParseIP(ip), Zone: zone, Port: 4510}, Err: os.NewSyscallError("connect", err)}
	}
	const env = "HTTPS_PROXY, HTTP_PROXY or ALL_PROXY names it; NO_PROXY lists hosts to reach without it"
	for name, tt := range map[string]struct {
		err       error
		why, help string
	}{
		"link-local": {
			dial("fe80::1", "", syscall.EINVAL),
			"[fe80::1]:4510 is a link-local address, and the URL does not say of which network interface", "write it like [fe80::1%25eth0]",
		},
		"no such interface": {
			dial("fe80::1", "none", syscall.EINVAL),
			"connecting to [fe80::1%none]:4510 failed: invalid argument", "check the URL, and this machine's network",
		},
		"not permitted": {
			dial("192.0.2.1", "", syscall.EPERM),
			"connecting to 192.0.2.1:4510 failed: operation not permitted", "check the URL, and this machine's network",
		},
		"silent proxy": {
			&net.OpError{Op: "proxyconnect", Net: "tcp", Err: context.DeadlineExceeded},
			"the proxy cannot be used: the proxy accepted the connection but did not answer in time", env,
		},
	} {
		if why, help := p.Explain(tt.err); why != tt.why || string(help) != tt.help {
			t.Errorf("%s: %s: %s\nwant %s: %s", name, why, help, tt.why, tt.help)
		}
	}
}

// TestTrust reads certificates as editors leave them.
func TestTrust(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	want, err := peer.Trust(text, false)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"byte order mark": append([]byte("\ufeff"), text...),
		"CRLF":            bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")),
		"text before":     append([]byte("subject=CN\n"), text...),
	} {
		if got, err := peer.Trust(text, false); err != nil || !got.Equal(want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
