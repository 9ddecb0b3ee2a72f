package report

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/spirostack/spirodeploy/internal/ctxio"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// Verdict says what a run came to.
type Verdict string

// The verdicts, with their exit statuses.
const (
	// Success (0): everything that was asked for happened.
	Success Verdict = "success"
	// MinionFailed (1): a minion failed, was expected and not reached, or fewer were
	// concerned than had to be.
	MinionFailed Verdict = "minion-failed"
	// Invalid (2): the command line, the tree, the token or the configuration is
	// wrong, or a file changed on the way. Nothing was deployed.
	Invalid Verdict = "invalid"
	// Refused (3): the server refused.
	Refused Verdict = "refused"
	// ServerFailed (4): the server failed.
	ServerFailed Verdict = "server-failed"
	// Unreachable (5): the server could not be reached or trusted, or the bundle
	// was not sent whole. Nothing was deployed.
	Unreachable Verdict = "unreachable"
	// Unknown (6): the bundle was sent whole, and how it ended is not known. It
	// may be going on.
	Unknown Verdict = "unknown"
	// NotStarted (2): another target of the run failed before this one's turn.
	NotStarted Verdict = "not-started"
	// Interrupted (130): by a signal.
	Interrupted Verdict = "interrupted"
)

var exitStatuses = map[Verdict]int{
	Success: 0, MinionFailed: 1, Invalid: 2, Refused: 3, ServerFailed: 4, Unreachable: 5, Unknown: 6, NotStarted: 2, Interrupted: 130,
}

// ExitStatus returns the exit status for a verdict.
func (v Verdict) ExitStatus() int { return exitStatuses[v] }

// words says a verdict in a few words, where the reasons do not say it.
func (v Verdict) words() string {
	switch v {
	case Success, MinionFailed, Unreachable, Interrupted:
		return ""
	case Invalid, NotStarted:
		return "not deployed"
	case Refused:
		return "refused"
	case ServerFailed:
		return "the server failed"
	case Unknown:
		return "outcome unknown"
	}
	return string(v)
}

// ranking orders verdicts from bad to good: where several hold, the first wins.
var ranking = []Verdict{Interrupted, ServerFailed, Unknown, Unreachable, Refused, Invalid, MinionFailed, NotStarted, Success}

func worse(a, b Verdict) Verdict {
	if slices.Index(ranking, b) < slices.Index(ranking, a) {
		return b
	}
	return a
}

// ErrInterrupted is the cause with which a front end ends the context of a run
// when the user interrupts it.
var ErrInterrupted = ctxio.ErrInterrupted

// ErrTimeout is the cause with which a run ends when its time is up.
var ErrTimeout = errors.New("the time for the whole run is up (--timeout)")

// ErrCut means that the stream of events ended before the deployment did.
var ErrCut = errors.New("the server ended the stream of events too early: the deployment may be going on")

// ErrNoMinions means that no minion was concerned, and one had to be.
var ErrNoMinions = errors.New("no minion is concerned: the bundle's top.sls or spirotop.sls names none that answers the master; " + askMaster)

// NotStartedError means that it was not the turn of a target any more, since
// another one failed.
type NotStartedError struct{ After string }

func (e *NotStartedError) Error() string {
	return "not begun, since " + sanitize.Line(e.After) + " failed"
}

// ServerError is the server's own "exception" event.
type ServerError struct{ Msg string }

func (e *ServerError) Error() string {
	if e.Msg == "" {
		return "it does not say why: the master's log may"
	}
	return e.Msg
}

// judge returns the verdict on a target, and the error to show with it.
func (t *Target) judge(err error) (Verdict, error) {
	if err != nil && t.complete() && !isMalformed(err) {
		// It was all over when the connection broke.
		err = nil
	}
	switch {
	case Classify(err) == Interrupted:
		return Interrupted, err
	case t.saw(client.Exception):
		return ServerFailed, t.Unfinished()
	case err != nil:
		return Classify(err), err
	case t.DryRun:
		return Success, nil
	case t.Unfinished() != nil:
		return Unknown, t.Unfinished()
	case t.count(highstate.Unreported) > 0:
		return Unknown, nil
	}
	failure, why := t.Lacks()
	switch {
	case failure:
		return MinionFailed, why
	case t.count(highstate.Succeeded) < len(t.Minions):
		return MinionFailed, nil
	}
	return Success, nil
}

// isMalformed reports whether the server said what cannot be.
func isMalformed(err error) bool {
	var stream *client.StreamError
	return errors.As(err, &stream) && stream.Malformed
}

// complete reports whether the last event of a deployment with highstate has
// come. A deployment without one has no such event: it ends with the stream.
func (t *Target) complete() bool { return t.Highstate && t.saw(client.HighstateFinish) }

// Unfinished returns, when the stream has ended well, why the deployment has
// not: a [ServerError] or [ErrCut]; else nil.
func (t *Target) Unfinished() error {
	switch {
	case t.saw(client.Exception):
		return &ServerError{Msg: t.kept.exception}
	case !t.saw(client.DeployBundle), t.Highstate && !t.complete():
		return ErrCut
	}
	return nil
}

// afterwards says what has become of a deployment that did not end before the
// run did, and how to look that up (salt 3005, runners/jobs.py), or "".
func (t *Target) afterwards() string {
	running := t.Highstate && (t.Verdict == Unknown || t.Verdict == Interrupted && (len(t.Events) > 0 || mayRun(t.err)))
	switch {
	case t.Verdict == ServerFailed && t.saw(client.HighstateCalc):
		return "the files had been deployed"
	case t.Verdict == ServerFailed && t.saw(client.Exception):
		return "the files may have been deployed"
	case running && t.jid() != "":
		return fmt.Sprintf("the highstate is Salt's job %s: on the master, salt-run jobs.lookup_jid %[1]s shows what its minions did", sanitize.Line(t.jid()))
	case running:
		return "on the master, salt-run jobs.active shows whether the highstate is going on"
	}
	return ""
}

// mayRun reports whether an error leaves it open what became of a bundle.
func mayRun(err error) bool {
	var transport *client.TransportError
	return errors.As(err, &transport) && transport.BodySent
}

// jid returns the id of the Salt job, or "" if no minion has told it. It is the
// same for all: SpiroFS starts one job.
func (t *Target) jid() string {
	for _, m := range t.Minions {
		if m.JID != "" {
			return m.JID
		}
	}
	return ""
}

// UnsentError is an error from before anything was sent: nothing was deployed.
type UnsentError struct{ Err error }

func (e *UnsentError) Error() string { return e.Err.Error() }

func (e *UnsentError) Unwrap() error { return e.Err }

// Classify returns the verdict for an error of spirodeploy.Deploy, which is that of
// its report, of package client, or for any other that ended a run. An error that it
// does not know is Unknown: only an [UnsentError] and errors of the client tell
// that nothing was deployed.
func Classify(err error) Verdict {
	var (
		whole     *Error
		unsent    *UnsentError
		broken    *client.BundleError
		status    *client.StatusError
		answer    *client.AnswerError
		transport *client.TransportError
		stream    *client.StreamError
		skipped   *NotStartedError
	)
	switch {
	case err == nil:
		return Success
	case errors.As(err, &whole):
		return whole.Verdict
	case errors.As(err, &skipped):
		return NotStarted
	case errors.Is(err, ErrInterrupted), errors.Is(err, context.Canceled):
		return Interrupted
	case errors.As(err, &stream):
		return Unknown
	case errors.As(err, &transport):
		return unlessSent(transport.BodySent, Unreachable)
	case errors.As(err, &answer):
		return unlessSent(answer.BodySent, Unreachable)
	case errors.As(err, &status):
		return classifyStatus(status)
	case errors.As(err, &broken):
		return Invalid
	case errors.As(err, &unsent) && (errors.Is(err, ErrTimeout) || errors.Is(err, context.DeadlineExceeded)):
		return Unreachable
	case errors.As(err, &unsent):
		return Invalid
	}
	return Unknown
}

// classifyStatus tells SpiroFS's refusals and failures from those of a proxy.
func classifyStatus(e *client.StatusError) Verdict {
	switch {
	case e.StatusCode == http.StatusInternalServerError:
		return ServerFailed
	case e.StatusCode >= 300 && e.StatusCode < 500:
		return Refused
	}
	return unlessSent(e.BodySent, Unreachable)
}

// unlessSent returns Unknown where the bundle had been sent whole.
func unlessSent(bodySent bool, v Verdict) Verdict {
	if bodySent {
		return Unknown
	}
	return v
}
