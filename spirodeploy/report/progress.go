package report

import (
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/client"
)

// Progress is where a run stands: what a display of it needs to know between two
// updates. Its zero value is a run that has not begun.
type Progress struct {
	Stage       Stage
	Since       time.Time // when the stage began
	Moved       time.Time // when it got further, other than by results of minions
	Sent, Total int64     // in bytes, of an upload or a file that is written; Total is 0 while it is not known

	named   bool // whether the server has said which minions are concerned
	minions []string
	left    map[string]bool // those that have not reported
	first   int             // no minion before this one is left
}

// Watch takes in an update: it is a [Watcher].
func (p *Progress) Watch(u Update) {
	switch u.Kind {
	case Began:
		p.Stage, p.Since, p.Moved, p.Sent, p.Total = u.Stage, u.Time, u.Time, 0, 0
	case Progressed:
		if u.Sent > p.Sent {
			p.Moved = u.Time
		}
		p.Sent, p.Total = u.Sent, u.Total
	case Happened:
		p.happened(u)
	case Waited, Warned, Ended:
	}
}

func (p *Progress) happened(u Update) {
	switch {
	case u.Event.Name == client.HighstateStart:
		p.named, p.Moved = true, u.Time
		for _, id := range u.Event.Minions {
			p.await(id)
		}
	case u.Minion != nil:
		delete(p.left, u.Minion.ID)
	case u.Event.Name == client.HighstateFinish, u.Event.Name == client.Exception:
		p.left = nil // nothing more will be heard of them
	}
}

func (p *Progress) await(id string) {
	if p.left == nil {
		p.left = map[string]bool{}
	}
	if len(p.minions) < client.MaxMinions && !p.left[id] {
		p.minions = append(p.minions, id)
		p.left[id] = true
	}
}

// Awaited returns the first of the minions that have not reported, in the
// server's order, and how many there are in all.
func (p *Progress) Awaited(most int) (ids []string, all int) {
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
	return ids, len(p.left)
}

// Rate returns how much is sent in a second, in bytes; 0 while that cannot be said.
func (p *Progress) Rate(now time.Time) float64 {
	elapsed := now.Sub(p.Since).Seconds()
	if elapsed <= 0 {
		return 0
	}
	return float64(p.Sent) / elapsed
}

// Remaining returns how long sending the rest takes at the rate so far; 0 while that
// cannot be said.
func (p *Progress) Remaining(now time.Time) time.Duration {
	rate := p.Rate(now)
	if rate == 0 || p.Sent >= p.Total {
		return 0
	}
	const most = 1000 * time.Hour
	return time.Duration(min(float64(p.Total-p.Sent)/rate, most.Seconds()) * float64(time.Second))
}
