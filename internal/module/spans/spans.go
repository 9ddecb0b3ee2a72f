// Package spans records a run as OpenTelemetry spans: one for each stage, and below it one
// for each minion. The spans of failures have the status Error.
package spans

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// New returns a watcher that records the spans of one run below the span of ctx. All text
// in them passes through redact, which removes secrets.
func New(ctx context.Context, tracer trace.Tracer, redact func(string) string) report.Watcher {
	all := map[string]*watcher{"": {tracer: tracer, parent: ctx, redact: redact}}
	return func(u report.Update) {
		w, ok := all[u.Target]
		if !ok {
			w = &watcher{tracer: tracer, parent: ctx, redact: redact, prefix: sanitize.Line(redact(u.Target)) + ": "}
			all[u.Target] = w
		}
		w.watch(u)
	}
}

type watcher struct {
	tracer trace.Tracer
	parent context.Context // it holds the span above all others
	redact func(string) string
	prefix string          // of the names of stages, to distinguish targets
	stage  context.Context // it holds the span of the current stage; nil if there is none

	minions map[string]trace.Span // minions that have not reported
	failed  int                   // how many minions failed
}

func (w *watcher) watch(u report.Update) {
	switch u.Kind {
	case report.Began:
		w.stage, _ = w.tracer.Start(w.parent, w.prefix+string(u.Stage), trace.WithTimestamp(u.Time))
		w.minions, w.failed = map[string]trace.Span{}, 0
	case report.Warned:
		w.span().AddEvent("warning", trace.WithTimestamp(u.Time), trace.WithAttributes(attribute.String("text", sanitize.Line(w.redact(u.Text)))))
	case report.Happened:
		w.happened(u)
	case report.Ended:
		w.ended(u)
	case report.Progressed, report.Waited, report.Missed, report.Finished:
	}
}

// span returns the span of the current stage, or the one above if there is none.
func (w *watcher) span() trace.Span {
	if w.stage == nil {
		return trace.SpanFromContext(w.parent)
	}
	return trace.SpanFromContext(w.stage)
}

func (w *watcher) happened(u report.Update) {
	if w.stage == nil {
		return
	}
	if u.Event.Name == client.HighstateStart {
		for _, id := range u.Event.Minions {
			w.minion(id, u)
		}
	}
	m := u.Minion
	if m == nil {
		return
	}
	span := w.minion(m.ID, u)
	span.SetAttributes(
		attribute.String("salt.minion.status", string(m.Status)),
		attribute.Int("salt.states.total", m.Counts.Total),
		attribute.Int("salt.states.changed", m.Counts.Changed),
		attribute.Int("salt.states.failed", m.Counts.Failed),
	)
	if m.OK() {
		end(span, u, "")
	} else {
		w.failed++
		end(span, u, string(m.Status))
	}
	delete(w.minions, m.ID)
}

// minion returns the span of a minion, and starts it if necessary.
func (w *watcher) minion(id string, u report.Update) trace.Span {
	if span, ok := w.minions[id]; ok {
		return span
	}
	_, span := w.tracer.Start(w.stage, "minion "+sanitize.Line(w.redact(id)), trace.WithTimestamp(u.Time))
	w.minions[id] = span
	return span
}

// ended ends the stage and the spans that are still open in it.
func (w *watcher) ended(u report.Update) {
	if w.stage == nil {
		return
	}
	for _, span := range w.minions {
		end(span, u, "did not report")
	}
	switch {
	case u.Err != nil:
		end(w.span(), u, sanitize.Text(w.redact(u.Failure())))
	case w.failed > 0 || len(w.minions) > 0:
		end(w.span(), u, fmt.Sprintf("%d failed, %d did not report", w.failed, len(w.minions)))
	default:
		end(w.span(), u, "")
	}
	w.stage = nil
}

// end ends a span. The span failed if there is a reason.
func end(span trace.Span, u report.Update, reason string) {
	if reason != "" {
		span.SetStatus(codes.Error, reason)
	} else {
		span.SetStatus(codes.Ok, "")
	}
	span.End(trace.WithTimestamp(u.Time))
}
