// Package edge is what the command and the mage targets share: it turns what
// people type, and the environment, into the options of the library, and what
// the library returns into text, files and an exit status.
package edge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	"golang.org/x/net/http/httpproxy"

	"github.com/spirostack/spirodeploy/internal/output"
	"github.com/spirostack/spirodeploy/internal/problem"
	"github.com/spirostack/spirodeploy/spirodeploy"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

// Settings are what people type. Their names are those of the flags.
type Settings struct {
	Project        string
	Deployment     string
	Dir            string
	Artifacts      []string // PATH or NAME=PATH
	Source         string   // filesystem, fs, git or empty
	Exclude        []string
	GitDescribe    string
	NoHighstate    bool
	RequireMinions bool
	Server         string  // empty: SPIRO_URL
	Token          *string // nil: SPIRO_TOKEN
	TokenFile      string
	SSLCert        string
	Insecure       bool
	ConnectTimeout time.Duration
	Timeout        time.Duration
	Bundle         string // a bundle to deploy in place of building one
	Digest         string
	Output         string // write the bundle here and stop
	DryRun         bool
	Reports        []string // FORMAT=FILE
}

// World is where a run takes place.
type World struct {
	Getenv func(string) string
	Stdout io.Writer // for results
	Stderr io.Writer // for the story
}

// Run does what the settings ask for. Its error is an [*Error].
func (w World) Run(ctx context.Context, s Settings) error {
	if s.Output != "" {
		return w.Build(ctx, s)
	}
	return w.deploy(ctx, s)
}

// Error is an error with an exit status.
type Error struct {
	Status int
	Err    error
	Told   bool // the summary has said so already
}

func (e *Error) Error() string { return e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }

// ExitStatus returns the exit status; mage uses it.
func (e *Error) ExitStatus() int { return e.Status }

// invalid returns an error for what is wrong on this side.
func invalid(err error) error {
	if err == nil {
		return nil
	}
	status := report.Invalid
	if errors.Is(err, report.ErrInterrupted) || errors.Is(err, context.Canceled) {
		status = report.Interrupted
	}
	return &Error{Status: status.ExitStatus(), Err: err}
}

// Build writes the bundle to s.Output and says which it is. It needs no server.
func (w World) Build(ctx context.Context, s Settings) error {
	if s.Bundle != "" {
		return invalid(errors.New("--output makes a bundle and --bundle is one already: leave one of them out"))
	}
	opts, err := w.bundleOptions(s, nil)
	if err != nil {
		return invalid(err)
	}
	b, err := bundle.New(ctx, opts)
	if err != nil {
		return invalid(cause(ctx, err))
	}
	defer b.Close()
	for _, warning := range b.Warnings() {
		fmt.Fprintln(w.Stderr, "warning:", warning)
	}
	err = output.Write(s.Output, w.Stdout, func(out io.Writer) error {
		_, err := b.WriteTo(untilDone{ctx, out})
		return err
	})
	if err != nil {
		return invalid(cause(ctx, err))
	}
	d, err := b.Digest(ctx) // known by now
	if err != nil {
		return invalid(err)
	}
	if s.Output == output.Stdout {
		fmt.Fprintf(w.Stderr, "%s  %d entries, %s\n", d, b.Len(), report.Size(b.Size()))
		return nil
	}
	fmt.Fprintf(w.Stdout, "%s  %s\n", d, s.Output)
	return nil
}

func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// untilDone writes until a context ends.
type untilDone struct {
	ctx context.Context // it ends the writing, which has no other
	w   io.Writer
}

func (u untilDone) Write(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.w.Write(p)
}

func (w World) deploy(ctx context.Context, s Settings) error {
	reports, reportsErr := parseReports(s.Reports)
	bundleOptions, bundleErr := w.bundleOptions(s, reports)
	server, serverErr := w.serverOptions(s)
	// The result goes to standard output, unless a report is what goes there.
	result := w.Stdout
	for _, r := range reports {
		if r.path == output.Stdout {
			result = w.Stderr
		}
	}
	opts := spirodeploy.Options{
		Project: s.Project, Deployment: s.Deployment,
		Server: server, Bundle: bundleOptions, File: s.Bundle,
		NoHighstate: s.NoHighstate, RequireMinions: s.RequireMinions,
		Timeout: s.Timeout, DryRun: s.DryRun,
		Watch: report.Story(w.Stderr),
	}
	if err := problem.Join(reportsErr, bundleErr, serverErr); err != nil {
		// Everything else that is wrong is told at the same time.
		return invalid(cause(ctx, problem.Join(err, spirodeploy.Validate(ctx, opts))))
	}
	rep, err := spirodeploy.Deploy(ctx, opts)
	// A run that the server never took up has no result to show beside its error.
	told := len(rep.Targets[0].Events) > 0 || err == nil
	if told {
		told = rep.WriteText(result) == nil // that nobody reads must not change the verdict
	}
	if err != nil {
		err = &Error{Status: rep.ExitStatus, Err: err, Told: told}
	}
	for _, r := range reports {
		if reportErr := output.Write(r.path, w.Stdout, r.view(rep)); reportErr != nil {
			fmt.Fprintf(w.Stderr, "warning: report: %v\n", reportErr)
			if err == nil {
				err = invalid(fmt.Errorf("everything was deployed, but the report was not written: %w", reportErr))
			}
		}
	}
	return err
}

// reportFile is a report to write.
type reportFile struct {
	path string
	view func(*report.Report) func(io.Writer) error
}

// parseReports reads FORMAT=FILE.
func parseReports(specs []string) ([]reportFile, error) {
	var files []reportFile
	var errs []error
	stdout := 0
	for _, spec := range specs {
		format, path, ok := strings.Cut(spec, "=")
		switch {
		case !ok || path == "":
			errs = append(errs, fmt.Errorf("report %q: not FORMAT=FILE, such as json=report.json", spec))
			continue
		case format != "json":
			errs = append(errs, fmt.Errorf("report %q: the format %q is not known: there is json", spec, format))
			continue
		}
		if path == output.Stdout {
			stdout++
		}
		files = append(files, reportFile{path, func(r *report.Report) func(io.Writer) error { return r.WriteJSON }})
	}
	if stdout > 1 {
		errs = append(errs, errors.New("report: only one can go to standard output"))
	}
	return files, problem.Join(errs...)
}

// maxCertificate is how much of a certificate file is read, in bytes.
const maxCertificate = 1 << 20

// serverOptions reads the settings for the server. Where it fails, the options
// are still good enough to find out what else is wrong.
func (w World) serverOptions(s Settings) (client.Options, error) {
	opts := client.Options{
		Server: strings.TrimSpace(s.Server), Insecure: s.Insecure, ConnectTimeout: s.ConnectTimeout, Proxy: w.proxy(),
	}
	if opts.Server == "" {
		opts.Server = w.env("SPIRO_URL")
	}
	var tokenErr, certErr error
	opts.Token, tokenErr = w.token(s)
	if tokenErr != nil {
		opts.Token, _ = token.Parse("unread") // stands in for the one that was meant
	}
	if s.SSLCert != "" {
		opts.Certificate, certErr = readCertificate(s.SSLCert)
	}
	return opts, problem.Join(tokenErr, certErr)
}

func readCertificate(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	defer f.Close()
	pem, err := io.ReadAll(io.LimitReader(f, maxCertificate))
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	if len(pem) == 0 {
		return nil, fmt.Errorf("certificate: %s is empty", path)
	}
	return pem, nil
}

func (w World) token(s Settings) (token.Token, error) {
	switch {
	case s.Token != nil && s.TokenFile != "":
		return token.Token{}, errors.New("token: --token and --token-file are both given: leave one of them out")
	case s.Token != nil:
		t, err := token.Parse(*s.Token)
		if err != nil {
			err = fmt.Errorf("--token: %w", err)
		}
		return t, err
	case s.TokenFile != "":
		return token.ReadFile(s.TokenFile)
	}
	t, err := token.Parse(w.Getenv("SPIRO_TOKEN"))
	switch {
	case errors.Is(err, token.ErrNone):
		return t, nil // the client says what to do about it
	case err != nil:
		return t, fmt.Errorf("SPIRO_TOKEN: %w", err)
	}
	return t, nil
}

// env returns a variable without the white space around it, as the first-party
// client reads it.
func (w World) env(name string) string { return strings.TrimSpace(w.Getenv(name)) }

// proxy honours HTTP_PROXY, HTTPS_PROXY and NO_PROXY, in capitals or not.
func (w World) proxy() func(*http.Request) (*url.URL, error) {
	either := func(name string) string {
		if v := w.env(name); v != "" {
			return v
		}
		return w.env(strings.ToLower(name))
	}
	config := httpproxy.Config{
		HTTPProxy: either("HTTP_PROXY"), HTTPSProxy: either("HTTPS_PROXY"), NoProxy: either("NO_PROXY"),
		CGI: w.env("REQUEST_METHOD") != "", // then HTTP_PROXY is a header that anybody may send
	}
	choose := config.ProxyFunc()
	return func(r *http.Request) (*url.URL, error) { return choose(r.URL) }
}

// bundleOptions turns the settings for a bundle into options. Files that the
// run itself writes or reads are left out of it.
func (w World) bundleOptions(s Settings, reports []reportFile) (bundle.Options, error) {
	opts := bundle.Options{
		Dir: s.Dir, Exclude: s.Exclude, GitDescribe: bundle.Describe(s.GitDescribe), Digest: digest.Digest(strings.TrimSpace(s.Digest)),
	}
	if opts.Dir == "" {
		opts.Dir = "."
	}
	for _, a := range s.Artifacts {
		opts.Artifacts = append(opts.Artifacts, bundle.ParseArtifact(opts.Dir, a))
	}
	for _, path := range []string{s.Output, s.Bundle} {
		if path != "" && path != output.Stdout {
			opts.Omit = append(opts.Omit, path)
		}
	}
	for _, r := range reports {
		if r.path != output.Stdout {
			opts.Omit = append(opts.Omit, r.path)
		}
	}
	var sourceErr, timeErr error
	opts.Source, sourceErr = bundle.ParseSource(s.Source)
	opts.ModTime, timeErr = w.sourceDate()
	return opts, problem.Join(sourceErr, timeErr)
}

// sourceDate reads SOURCE_DATE_EPOCH, seconds since 1970
// (https://reproducible-builds.org/specs/source-date-epoch/).
func (w World) sourceDate() (time.Time, error) {
	v := w.env("SOURCE_DATE_EPOCH")
	if v == "" {
		return time.Time{}, nil
	}
	sec, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH %q: not a number of seconds since 1970", v)
	}
	return time.Unix(sec, 0), nil
}
