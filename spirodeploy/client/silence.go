package client

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
)

// A listener reads the body of a stream, and ends the stream if the server sends nothing for
// a time. Only the time counts in which a read waits for the server, and somebody for the read.
type listener struct {
	body io.Reader

	mu      sync.Mutex
	reading bool
	awaited bool
	limit   time.Duration // 0 for no limit
	timer   *time.Timer   // ends the stream
}

func (s *Stream) listen() *listener {
	limit := s.client.quiet
	l := &listener{body: s.resp.Body, limit: limit, timer: time.AfterFunc(time.Hour, func() {
		s.cancel(&fault.Error{
			Err:  fmt.Errorf("the server has sent nothing for %s, the limit for silence: the connection may be gone, or minions take longer", human.Elapsed(limit)),
			Help: "on the master, salt-run jobs.active shows what still runs",
		})
	})}
	l.timer.Stop()
	return l
}

func (l *listener) Read(p []byte) (int, error) {
	l.set(&l.reading, true)
	defer l.set(&l.reading, false)
	return l.body.Read(p)
}

// await calls a function that waits for reads, in this goroutine or another.
func (l *listener) await(wait func()) {
	l.set(&l.awaited, true)
	defer l.set(&l.awaited, false)
	wait()
}

// lift ends the limit.
func (l *listener) lift() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.limit = 0
	l.timer.Stop()
}

// set sets reading or awaited, and starts or stops the timer.
func (l *listener) set(what *bool, to bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	*what = to
	if l.reading && l.awaited && l.limit > 0 {
		l.timer.Reset(l.limit)
	} else {
		l.timer.Stop()
	}
}
