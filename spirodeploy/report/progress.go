package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
)

// Progress is the state of a run between two updates, for a display. The zero value is a
// run that has not begun.
type Progress struct {
	Stage       Stage
	Since       time.Time // when the stage began
	Moved       time.Time // when it last moved on, apart from results of minions
	Sent, Total int64     // bytes of an upload or a file; Total is 0 if it is not known

	named   bool // whether the server has named the minions
	minions []string
	left    map[string]bool // minions that have not reported
	first   int             // all minions before this one have reported
}

// Watch is a [Watcher].
func (p *Progress) Watch(u Update) {
	switch {
	case u.Kind == Began:
		p.Stage, p.Since, p.Moved, p.Sent, p.Total = u.Stage, u.Time, u.Time, 0, 0
	case u.Kind == Progressed:
		if u.Sent > p.Sent {
			p.Moved = u.Time
		}
		p.Sent, p.Total = u.Sent, u.Total
	case u.Kind != Happened:
	case u.Event.Name == client.HighstateStart:
		p.named, p.Moved = true, u.Time
		if p.left == nil {
			p.left = map[string]bool{}
		}
		for _, id := range u.Event.Minions {
			if len(p.minions) < client.MaxMinions && !p.left[id] {
				p.minions = append(p.minions, id)
				p.left[id] = true
			}
		}
	case u.Minion != nil:
		delete(p.left, u.Minion.ID)
	case u.Event.Name == client.HighstateFinish, u.Event.Name == client.Exception:
		p.left = nil // no minion reports any more
	}
}

// Awaited returns the first minions that have not reported, in the order of the server,
// their number, and the number of all minions.
func (p *Progress) Awaited(most int) (ids []string, left, all int) {
	for p.first < len(p.minions) && !p.left[p.minions[p.first]] {
		p.first++
	}
	for _, id := range p.minions[p.first:] {
		if len(ids) == most {
			break
		}
		if p.left[id] {
			ids = append(ids, id)
		}
	}
	return ids, len(p.left), len(p.minions)
}

// Rate returns the bytes per second, or 0 if the rate is not known.
func (p *Progress) Rate(now time.Time) float64 {
	elapsed := now.Sub(p.Since).Seconds()
	if elapsed <= 0 {
		return 0
	}
	return float64(p.Sent) / elapsed
}

// Remaining returns how long the rest takes at the current rate, or 0 if the rate is not
// known.
func (p *Progress) Remaining(now time.Time) time.Duration {
	rate := p.Rate(now)
	if rate == 0 || p.Sent >= p.Total {
		return 0
	}
	const most = 1000 * time.Hour
	return time.Duration(min(float64(p.Total-p.Sent)/rate, most.Seconds()) * float64(time.Second))
}

// Moving reports whether a transfer has begun and not ended.
func (p *Progress) Moving() bool { return p.Sent > 0 && p.Sent < p.Total }

// stalled is how long a transfer may stand still without a word.
const stalled = 10 * time.Second

// Transfer describes the transfer: "12.0 MiB of 40.0 MiB (30 %), 4.1 MiB/s, 7 s left".
func (p *Progress) Transfer(now time.Time) string {
	text := fmt.Sprintf("%s of %s (%d %%), %s/s", human.Size(p.Sent), human.Size(p.Total), 100*p.Sent/max(p.Total, 1), human.Size(int64(p.Rate(now))))
	if still := now.Sub(p.Moved); still >= stalled {
		return text + ", nothing more for " + human.Elapsed(still)
	}
	return text + ", " + human.Elapsed(p.Remaining(now)) + " left"
}

// maxAwaited is how many minions Waiting names.
const maxAwaited = 5

// Waiting says what the run waits for: "waiting for web1, web2 and 3 more".
func (p *Progress) Waiting() string {
	switch p.Stage {
	case Bundling:
		return "reading files"
	case Checking, Uploading:
		return "waiting for the server's answer"
	case Deploying:
		return "waiting for the server to unpack the bundle"
	case Highstate:
	}
	ids, all, _ := p.Awaited(maxAwaited)
	switch {
	case !p.named:
		return "waiting for the server to find the minions concerned"
	case all == 0:
		return "waiting for the server to finish"
	}
	for i, id := range ids {
		ids[i] = sanitize.Line(sanitize.Clip(id, maxName))
	}
	text := "waiting for " + strings.Join(ids, ", ")
	if more := all - len(ids); more > 0 {
		text += " and " + human.Thousands(more) + " more"
	}
	return text
}
