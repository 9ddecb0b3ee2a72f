package bundle

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"sync"

	"github.com/opencontainers/go-digest"
)

const (
	// pieceSize is how much of a tar is read, hashed and handed on at once, in
	// bytes: enough that the work between pieces does not count.
	pieceSize = 256 << 10
	// pieces is the number of buffers for pieces.
	pieces = 16
	// fillers is the number of goroutines that fill pieces. They mostly wait for the
	// kernel, so there may be more than cores.
	fillers = 4
)

// plan divides a tar into pieces.
type plan interface {
	// next plans the next piece. The size is 0 after the last one. Other goroutines may
	// call fill at the same time for other pieces, but with inline, fill must return
	// before the next call of next.
	next() (size int, fill func([]byte) error, inline bool, err error)
	// Close ends the plan. The caller of next calls it once.
	Close() error
}

// pump reads a tar ahead of its reader: one goroutine plans pieces, some fill them, and
// one hashes them in order, so that all of this overlaps in a few buffers. The place of
// a byte never depends on which goroutine is faster.
//
// If the digest is not want, and that is not empty, the error is [ErrDigest] in place of
// the last bytes. Otherwise the pump calls learn with the digest before these.
type pump struct {
	plan  plan
	left  int64 // bytes to hash
	want  digest.Digest
	learn func(digest.Digest)

	started bool
	ended   chan struct{} // closed by Close, or on failure
	end     func()
	free    chan *piece
	work    chan *piece // to be filled
	ordered chan *piece // all of them
	hashed  chan *piece // to be read
	running sync.WaitGroup

	mu      sync.Mutex // of a Read
	current *piece
	rest    []byte // of the current piece
	failed  error
}

// piece is a part of the tar, or an error.
type piece struct {
	buf  []byte
	fill func([]byte) error
	full chan struct{} // receives when it has been filled
	err  error
}

func newPump(p plan, size int64, want digest.Digest, learn func(digest.Digest)) *pump {
	ended := make(chan struct{})
	return &pump{
		plan: p, left: size, want: want, learn: learn,
		ended: ended, end: sync.OnceFunc(func() { close(ended) }),
		// No channel is ever full, so the planner waits for free pieces only.
		free: make(chan *piece, pieces), work: make(chan *piece, pieces),
		ordered: make(chan *piece, pieces), hashed: make(chan *piece, pieces),
	}
}

func (p *pump) start() {
	p.started = true
	for range pieces {
		p.free <- &piece{full: make(chan struct{}, 1)}
	}
	p.running.Go(p.planAll)
	for range fillers {
		p.running.Go(p.fillAll)
	}
	p.running.Go(p.hashAll)
}

func (p *pump) planAll() {
	defer close(p.work)
	defer close(p.ordered)
	defer func() { _ = p.plan.Close() }() // reading has succeeded
	for {
		var next *piece
		select {
		case next = <-p.free:
		case <-p.ended:
			return
		}
		size, fill, inline, err := p.plan.next()
		if size == 0 && err == nil {
			return
		}
		if next.buf == nil {
			next.buf = make([]byte, pieceSize)
		}
		next.buf, next.err, next.fill = next.buf[:size], err, fill
		if inline && err == nil {
			next.err = fill(next.buf)
		}
		p.ordered <- next
		if inline || err != nil {
			next.full <- struct{}{}
			continue
		}
		p.work <- next
	}
}

func (p *pump) fillAll() {
	for next := range p.work {
		next.err = next.fill(next.buf)
		next.full <- struct{}{}
	}
}

func (p *pump) hashAll() {
	defer close(p.hashed)
	sum := sha256.New()
	failed := false
	for next := range p.ordered {
		<-next.full
		if failed {
			continue
		}
		if next.err == nil {
			_, _ = sum.Write(next.buf) // a hash takes everything
			p.left -= int64(len(next.buf))
			if p.left == 0 {
				next.err = p.check(sum)
			}
		}
		if next.err != nil {
			failed = true
			p.end()
		}
		p.hashed <- next
	}
}

// check checks the digest before the reader gets the last bytes.
func (p *pump) check(sum hash.Hash) error {
	got := digest.NewDigest(digest.SHA256, sum)
	if p.want != "" && p.want != got {
		return fmt.Errorf("%w: it is %s, not %s", ErrDigest, got, p.want)
	}
	if p.learn != nil {
		p.learn(got)
	}
	return nil
}

// more makes the next piece the current one. It needs mu.
func (p *pump) more() error {
	if p.failed != nil {
		return p.failed
	}
	if !p.started {
		p.start()
	}
	if p.current != nil {
		p.free <- p.current
		p.current = nil
	}
	next, ok := <-p.hashed
	switch {
	case ok && next.err == nil:
		p.current, p.rest = next, next.buf
		return nil
	case ok:
		p.failed = next.err
	case p.left == 0:
		p.failed = io.EOF
	default:
		p.failed = fs.ErrClosed
	}
	return p.failed
}

func (p *pump) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.rest) == 0 {
		if len(b) == 0 && p.failed == nil {
			return 0, nil
		}
		if err := p.more(); err != nil {
			return 0, err
		}
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

// WriteTo writes the rest of the tar.
func (p *pump) WriteTo(w io.Writer) (n int64, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		if len(p.rest) > 0 {
			m, err := w.Write(p.rest)
			n, p.rest = n+int64(m), p.rest[m:]
			if err != nil {
				return n, err
			}
		}
		if err := p.more(); errors.Is(err, io.EOF) {
			return n, nil
		} else if err != nil {
			return n, err
		}
	}
}

// Close ends the pump. A Read that is running fails with [fs.ErrClosed].
func (p *pump) Close() error {
	p.end()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed == nil {
		p.failed = fs.ErrClosed
	}
	p.rest = nil
	if !p.started {
		p.started = true
		return p.plan.Close()
	}
	p.running.Wait()
	return nil
}
