// Package tracetest has a tracer for tests that writes all that its spans are given:
// names, attributes, events and statuses. It needs no more of OpenTelemetry than
// the tracer's interface, so a module can use it that has no more of it.
package tracetest

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// Tracer writes what its spans are given. The zero value is ready; it may be used
// by several goroutines.
type Tracer struct {
	noop.Tracer

	mu   sync.Mutex
	text strings.Builder
}

// String returns all that was given, a line each.
func (t *Tracer) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

// Start begins a span.
func (t *Tracer) Start(ctx context.Context, name string, opts ...trace.SpanStartOption) (context.Context, trace.Span) {
	config := trace.NewSpanStartConfig(opts...)
	t.write("start", name, config.Attributes())
	s := &span{tracer: t}
	return trace.ContextWithSpan(ctx, s), s
}

func (t *Tracer) write(what, text string, attributes []attribute.KeyValue) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintf(&t.text, "%s %s", what, text)
	for _, a := range attributes {
		fmt.Fprintf(&t.text, " %s=%s", a.Key, a.Value.Emit())
	}
	t.text.WriteByte('\n')
}

type span struct {
	noop.Span

	tracer *Tracer
}

func (s *span) SetStatus(code codes.Code, description string) {
	s.tracer.write("status "+code.String(), description, nil)
}

func (s *span) SetName(name string) { s.tracer.write("name", name, nil) }

func (s *span) SetAttributes(attributes ...attribute.KeyValue) {
	s.tracer.write("attributes", "", attributes)
}

func (s *span) AddEvent(name string, opts ...trace.EventOption) {
	config := trace.NewEventConfig(opts...)
	s.tracer.write("event", name, config.Attributes())
}

func (s *span) RecordError(err error, opts ...trace.EventOption) {
	config := trace.NewEventConfig(opts...)
	s.tracer.write("error", err.Error(), config.Attributes())
}
