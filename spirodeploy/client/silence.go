package client

import (
	"fmt"
	"io"
	"time"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
)

// A listener reads the body of a stream, and ends the stream if a read takes longer
// than the limit. Time between reads does not count.
type listener struct {
	body  io.Reader
	limit time.Duration // 0 for no limit
	end   func()
}

func (s *Stream) listen() *listener {
	limit := s.client.quiet
	return &listener{body: s.resp.Body, limit: limit, end: func() {
		s.cancel(&fault.Error{
			Err:  fmt.Errorf("the server has sent nothing for %s, the limit for silence: the connection may be gone, or minions take longer", human.Elapsed(limit)),
			Help: "on the master, salt-run jobs.active shows what still runs",
		})
	}}
}

func (l *listener) Read(p []byte) (int, error) {
	if l.limit > 0 {
		defer time.AfterFunc(l.limit, l.end).Stop()
	}
	return l.body.Read(p)
}
