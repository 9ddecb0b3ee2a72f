package leak_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/spirostack/spirodeploy/internal/module"
	"github.com/spirostack/spirodeploy/spirodeploy"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/report/view"
)

// order returns the library's options for a deployment to a server.
func order(t *testing.T, server string, certificate []byte, secret string) spirodeploy.Options {
	t.Helper()
	return spirodeploy.Options{
		Project: "shop", Deployment: "prod",
		Server: client.Options{Server: server, Certificate: certificate, Token: parse(t, secret)},
		Bundle: bundle.Options{Dir: t.TempDir(), Files: map[string][]byte{
			"spirotop.sls": []byte("prod: {'*': [web]}\n"), "web.sls": []byte("x: test.nop\n"), bundle.GitCommitFile: nil,
		}},
	}
}

// deploy deploys with the library, and returns everything that a caller can see.
func deploy(t *testing.T, opts spirodeploy.Options) []byte {
	t.Helper()
	var story bytes.Buffer
	var values []any
	tell, lines := view.Story(&story, view.StoryOptions{}), view.NDJSON(&story)
	opts.Watch = func(u report.Update) {
		tell(u)
		lines(u)
		if u.Kind != report.Progressed {
			values = append(values, u)
		}
	}
	rep, err := spirodeploy.Deploy(t.Context(), opts)
	c, clientErr := client.New(opts.Server)
	opts.Server.Certificate = nil // the tests themselves put tokens there
	values = append(values, opts, &opts, opts.Server, opts.Server.Token, rep, rep.Targets, err, clientErr)
	if c != nil {
		values = append(values, c, *c)
	}
	for _, target := range rep.Targets {
		values = append(values, *target)
		for _, m := range target.Minions {
			values = append(values, *m)
		}
	}
	return all(
		func(out io.Writer) { _, _ = story.WriteTo(out) },
		func(out io.Writer) { writeViews(out, rep) },
		func(out io.Writer) { writeErrors(out, err) },
		func(out io.Writer) { writeValues(out, values...) },
	)
}

// unlimited has the recorder keep all that the module says. (A collector gets neither
// what is overwritten, nor the description of a span that is well.)
var unlimited = trace.SpanLimits{
	AttributeValueLengthLimit: -1, AttributeCountLimit: -1, EventCountLimit: -1, LinkCountLimit: -1,
	AttributePerEventCountLimit: -1, AttributePerLinkCountLimit: -1,
}

// deployModule deploys with the code of the Dagger module.
func deployModule(t *testing.T, opts spirodeploy.Options, secrets []string) {
	t.Helper()
	var out bytes.Buffer
	spans := tracetest.NewSpanRecorder()
	tracer := trace.NewTracerProvider(trace.WithSpanProcessor(spans), trace.WithRawSpanLimits(unlimited)).Tracer("")
	outcome, err := module.Deploy(t.Context(), opts, nil, tracer, &out)
	find := newSearch(secrets...)
	clean(t, "what the module prints", find, out.Bytes())
	clean(t, "the spans", find, fmt.Appendf(nil, "%+v", tracetest.SpanStubsFromReadOnlySpans(spans.Ended())))
	clean(t, "the module's error", find, all(func(out io.Writer) { writeErrors(out, err) }))
	if outcome == nil {
		return
	}
	clean(t, "the outcome", find, all(
		func(out io.Writer) { writeValues(out, outcome) },
		func(out io.Writer) { writeErrors(out, outcome.Err()) },
	))
	for _, f := range module.Formats() {
		name, content, err := outcome.File(f)
		if err != nil || content == "" {
			t.Errorf("format %s: %v", f, err)
		}
		clean(t, name, find, []byte(content))
	}
}

// checkModule asks a server with the code of the Dagger module.
func checkModule(t *testing.T, opts client.Options, secrets []string) {
	t.Helper()
	for _, project := range []string{"", "shop", "blog"} {
		said, err := module.Check(t.Context(), opts, project)
		clean(t, "what the module's check says", newSearch(secrets...), all(
			func(out io.Writer) { _, _ = io.WriteString(out, said) },
			func(out io.Writer) { writeErrors(out, err) },
		))
	}
}

// tokens are the kinds of tokens.
var tokens = map[string]func(*testing.T) string{
	"macaroon": macaroon,
	"opaque":   func(*testing.T) string { return opaque() },
	"awkward":  func(*testing.T) string { return awkward() },
}

// TestHostileLibrary: whatever a server repeats, the library and the module do not.
func TestHostileLibrary(t *testing.T) {
	t.Parallel()
	for kind, issue := range tokens {
		for _, tt := range hostile {
			t.Run(kind+"/"+tt.name, func(t *testing.T) {
				t.Parallel()
				server := newEcho(t, tt.get, tt.post)
				secret := issue(t)
				secrets := sent(t, secret)
				opts := order(t, server.URL, server.pem(), secret)
				clean(t, "the library", newSearch(secrets...), deploy(t, opts))
				server.got(t, "GET", secrets)
				if tt.post != nil {
					server.got(t, "POST", secrets)
				}
				deployModule(t, opts, secrets)
				checkModule(t, opts.Server, secrets)
			})
		}
	}
}
