package tracetest_test

import (
	"errors"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/spirostack/spirodeploy/internal/dev/tracetest"
)

func TestTracer(t *testing.T) {
	t.Parallel()
	var tracer tracetest.Tracer
	ctx, _ := tracer.Start(t.Context(), "one", trace.WithAttributes(attribute.Int("n", 1)))
	s := trace.SpanFromContext(ctx)
	s.SetName("two")
	s.SetAttributes(attribute.String("a", "b"))
	s.AddEvent("three", trace.WithAttributes(attribute.Bool("c", true)))
	s.RecordError(errors.New("four"))
	s.SetStatus(codes.Error, "five")
	s.End()
	const want = "start one n=1\nname two\nattributes  a=b\nevent three c=true\nerror four\nstatus Error five\n"
	if got := tracer.String(); got != want {
		t.Errorf("wrote\n%swant\n%s", got, want)
	}
}
