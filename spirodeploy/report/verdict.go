package report

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/spirostack/spirodeploy/internal/ctxio"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// Verdict is how a run ended.
type Verdict string

// The verdicts, with their exit statuses.
const (
	// Success (0): everything that was asked for happened.
	Success Verdict = "success"
	// MinionFailed (1): a minion failed, an expected one was not reached, or too few were
	// concerned.
	MinionFailed Verdict = "minion-failed"
	// Invalid (2): the command line, the tree, the token or the configuration is
	// wrong, or a file changed while it was sent. Nothing was deployed.
	Invalid Verdict = "invalid"
	// Refused (3): the server refused.
	Refused Verdict = "refused"
	// ServerFailed (4): the server failed.
	ServerFailed Verdict = "server-failed"
	// Unreachable (5): the server could not be reached or trusted, or the bundle
	// was sent only in part. Nothing was deployed.
	Unreachable Verdict = "unreachable"
	// Unknown (6): the bundle was sent, and how the deployment ended is not known. It
	// may be going on.
	Unknown Verdict = "unknown"
	// NotStarted (2): another target of the run failed first.
	NotStarted Verdict = "not-started"
	// Interrupted (130): a signal ended the run.
	Interrupted Verdict = "interrupted"
)

var exitStatuses = map[Verdict]int{
	Success: 0, MinionFailed: 1, Invalid: 2, Refused: 3, ServerFailed: 4, Unreachable: 5, Unknown: 6, NotStarted: 2, Interrupted: 130,
}

// ExitStatus returns the exit status of a verdict.
func (v Verdict) ExitStatus() int { return exitStatuses[v] }

// words says a verdict in a few words, if the reasons do not say it.
var words = map[Verdict]string{
	Invalid: "not deployed", NotStarted: "not deployed", Refused: "refused", ServerFailed: "the server failed", Unknown: "outcome unknown",
}

// ranking orders verdicts from bad to good. If several apply, the first wins.
var ranking = []Verdict{Interrupted, ServerFailed, Unknown, Unreachable, Refused, Invalid, MinionFailed, NotStarted, Success}

// Errors that end a run, or that a verdict shows.
var (
	// ErrInterrupted is the cause that a front end gives to the context of a run if the
	// user interrupts it.
	ErrInterrupted = ctxio.ErrInterrupted

	// ErrTimeout is the cause that ends a run after the Timeout of its options.
	ErrTimeout error = &fault.Error{Err: errors.New("the time for the whole run is up"), Help: "allow more with {timeout}"}

	// ErrCut means that the stream of events ended before the deployment did.
	ErrCut error = &fault.Error{Err: errors.New("the server ended the stream of events too early"), Outcome: mayGoOn}

	// ErrNoMinions means that no minion is concerned, and that one had to be.
	ErrNoMinions error = &fault.Error{
		What: "no minion is concerned", Err: errors.New("the bundle has no spirotop.sls or top.sls, or that names none that answers the master"), Help: askMaster,
	}
)

const mayGoOn = "the deployment may be going on"

// interruptedError is an interruption after the bundle was sent. Its cause only says
// which operation was interrupted.
type interruptedError struct{ cause error }

func (e *interruptedError) Error() string { return e.Explain().String() }

func (e *interruptedError) Explain() fault.Parts {
	return fault.Parts{Why: ErrInterrupted.Error(), Outcome: mayGoOn}
}

// Unwrap returns a list, so that package fault does not explain the cause as well.
func (e *interruptedError) Unwrap() []error { return []error{e.cause} }

// NotStartedError means that a target was not begun because another one had failed.
type NotStartedError struct{ After string }

func (e *NotStartedError) Error() string {
	return "not begun, since " + sanitize.Line(e.After) + " failed"
}

// ServerError is the "exception" event of a server.
type ServerError struct{ Msg string }

func (e *ServerError) Error() string { return e.Explain().String() }

// Explain returns the message of the server.
func (e *ServerError) Explain() fault.Parts {
	if e.Msg == "" {
		return fault.Parts{Why: "it does not say why", Help: "the master's log may"}
	}
	return fault.Parts{Why: e.Msg}
}

// judge returns the verdict of a target, and the error that it shows.
func (t *Target) judge(err error) (Verdict, error) {
	if err != nil && t.complete() && !isMalformed(err) {
		err = nil // the deployment had ended before the connection broke
	}
	switch {
	case Classify(err) == Interrupted && t.sent(err):
		return Interrupted, &interruptedError{err}
	case Classify(err) == Interrupted:
		return Interrupted, err
	case t.saw(client.Exception):
		return ServerFailed, t.unfinished()
	case err != nil:
		return Classify(err), err
	case t.DryRun:
		return Success, nil
	case t.unfinished() != nil:
		return Unknown, t.unfinished()
	case t.Count(highstate.Unreported) > 0:
		return Unknown, nil
	}
	failure, why := t.lacks()
	switch {
	case failure:
		return MinionFailed, why
	case t.Count(highstate.Succeeded) < len(t.Minions):
		return MinionFailed, nil
	}
	return Success, nil
}

// isMalformed reports whether the server sent malformed events.
func isMalformed(err error) bool {
	var stream *client.StreamError
	return errors.As(err, &stream) && stream.Malformed
}

// complete reports whether the last event of a deployment with a highstate has come. A
// deployment without one has no last event.
func (t *Target) complete() bool { return t.Highstate && t.saw(client.HighstateFinish) }

// Ended says whether the deployment came to its end, after a stream that ended without an
// error. The error is a [ServerError] or [ErrCut] if it did not. The warning says that too
// few minions are concerned, if that is not a failure.
func (t *Target) Ended() (warning string, err error) {
	if err := t.unfinished(); err != nil {
		return "", err
	}
	if failure, why := t.lacks(); why != nil && !failure {
		warning = fault.Line(why, t.report.Spell)
	}
	return warning, nil
}

func (t *Target) unfinished() error {
	switch {
	case t.saw(client.Exception):
		return &ServerError{Msg: t.kept.exception}
	case !t.saw(client.DeployBundle), t.Highstate && !t.complete():
		return ErrCut
	}
	return nil
}

// afterwards says what became of a deployment that the run did not see to its end, and
// how to look it up (salt 3005, runners/jobs.py). Otherwise it returns "".
func (t *Target) afterwards() string {
	running := t.Highstate && (t.Verdict == Unknown || t.Verdict == Interrupted && t.sent(t.err))
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

// sent reports whether the bundle was sent, as far as the events and an error tell.
func (t *Target) sent(err error) bool {
	var transport *client.TransportError
	return len(t.Events) > 0 || errors.As(err, &transport) && transport.BodySent
}

// jid returns the id of the Salt job, or "" if no minion has told it. All minions have
// the same one, since SpiroFS starts one job.
func (t *Target) jid() string {
	for _, m := range t.Minions {
		if m.JID != "" {
			return m.JID
		}
	}
	return ""
}

// UnsentError is an error before the upload. Nothing was deployed.
type UnsentError struct {
	Err error
	// Verdict is the verdict; default: [Invalid], or [Unreachable] after a time limit.
	Verdict Verdict
}

func (e *UnsentError) Error() string { return e.Err.Error() }

func (e *UnsentError) Unwrap() error { return e.Err }

// verdict returns the verdict of the error, or of the first such error that it wraps.
func (e *UnsentError) verdict() Verdict {
	var inner *UnsentError
	switch {
	case e.Verdict != "":
		return e.Verdict
	case errors.As(e.Err, &inner):
		return inner.verdict()
	case errors.Is(e.Err, ErrTimeout) || errors.Is(e.Err, context.DeadlineExceeded):
		return Unreachable
	}
	return Invalid
}

// Classify returns the verdict for an error that ended a run. An error that it does not
// know is Unknown, since only an [UnsentError] and the errors of package client say that
// nothing was deployed.
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
	case errors.As(err, &unsent):
		return unsent.verdict()
	}
	return Unknown
}

// classifyStatus tells the refusals and failures of SpiroFS from those of a proxy.
func classifyStatus(e *client.StatusError) Verdict {
	switch {
	case e.StatusCode == http.StatusInternalServerError:
		return ServerFailed
	case e.StatusCode >= 300 && e.StatusCode < 500:
		return Refused
	}
	return unlessSent(e.BodySent, Unreachable)
}

// unlessSent returns Unknown if the bundle was sent.
func unlessSent(bodySent bool, v Verdict) Verdict {
	if bodySent {
		return Unknown
	}
	return v
}
