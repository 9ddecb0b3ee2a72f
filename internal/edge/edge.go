// Package edge is what the command and the mage targets share: it turns what
// people type, and the environment, into the options of the library, and what
// the library returns into text, files and an exit status.
package edge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/opencontainers/go-digest"
	"golang.org/x/net/http/httpproxy"

	"github.com/spirostack/spirodeploy/internal/output"
	"github.com/spirostack/spirodeploy/internal/plain"
	"github.com/spirostack/spirodeploy/internal/problem"
	"github.com/spirostack/spirodeploy/internal/until"
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
	FullToken      bool     // send the token as it is, not narrowed to the project

	// For a narrower token, written to Output.
	Projects []string
	Lifetime *time.Duration

	blank []string // flags that were given and are empty
}

// Text returns the value of a flag that must not be empty if it is given: most
// often that is a variable which is not set, and doing without the flag would be
// something else than what was meant.
func (s *Settings) Text(name string, flag *string) string {
	if flag == nil {
		return ""
	}
	value := strings.TrimSpace(*flag)
	if value == "" {
		s.blank = append(s.blank, name)
	}
	return value
}

// List returns the values of a flag that takes several, separated by commas. It
// must not be empty if it is given.
func (s *Settings) List(name string, flag *string) []string { return Split(s.Text(name, flag)) }

// contradictions returns what cannot be meant.
func (s *Settings) contradictions() error {
	var errs []error
	for _, name := range s.blank {
		errs = append(errs, fmt.Errorf("%s is given and empty: is a variable not set?", name))
	}
	useless := func(given bool, flag, with, why string) {
		if given {
			errs = append(errs, fmt.Errorf("%s has no effect with %s, which %s: leave one of them out", flag, with, why))
		}
	}
	if s.Bundle != "" {
		const why = "is a whole bundle"
		useless(s.Output != "", "--output", "--bundle", why)
		useless(len(s.Artifacts) > 0, "--artifact", "--bundle", why)
		useless(s.Source != "", "--include-source", "--bundle", why)
		useless(len(s.Exclude) > 0, "--exclude", "--bundle", why)
		useless(s.GitDescribe != "", "--git-describe", "--bundle", why)
		useless(s.Dir != "", "--dir", "--bundle", why)
	}
	if s.Output != "" {
		const why = "only writes the bundle"
		useless(s.DryRun, "--dry-run", "--output", why)
		useless(s.RequireMinions, "--require-minions", "--output", why)
		useless(len(s.Reports) > 0, "--report", "--output", why)
	}
	useless(s.NoHighstate && s.RequireMinions, "--require-minions", "--no-highstate", "asks no minion")
	if s.Timeout < 0 || s.ConnectTimeout < 0 {
		errs = append(errs, errors.New("a timeout must not be negative"))
	}
	return problem.Join(errs...)
}

// World is where a run takes place.
type World struct {
	Getenv func(string) string
	Stdout io.Writer // for results
	Stderr io.Writer // for the story

	discreet
}

// Process is the world of this process.
func Process() World {
	return World{Getenv: os.Getenv, Stdout: os.Stdout, Stderr: os.Stderr, discreet: discreet{ownsLog: true}}
}

// Run does what the settings ask for. Its error is an [*Error].
func (w World) Run(ctx context.Context, s Settings) error {
	if s.Output != "" {
		return w.Build(ctx, s)
	}
	return w.discreetly(s, func(w World) error { return w.deploy(ctx, s) })
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
	if report.Classify(err) == report.Interrupted {
		status = report.Interrupted
	}
	return &Error{Status: status.ExitStatus(), Err: err}
}

// Build writes the bundle to s.Output and says which it is. It needs no server.
func (w World) Build(ctx context.Context, s Settings) error {
	return w.discreetly(s, func(w World) error { return w.build(ctx, s) })
}

func (w World) build(ctx context.Context, s Settings) error {
	opts, err := w.bundleOptions(s, nil)
	if err := problem.Join(s.contradictions(), err); err != nil {
		return invalid(err)
	}
	if s.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, s.Timeout, report.ErrTimeout)
		defer cancel()
	}
	b, err := bundle.New(ctx, opts)
	if err != nil {
		return invalid(until.Cause(ctx, err))
	}
	defer b.Close()
	for _, warning := range b.Warnings() {
		fmt.Fprintln(w.Stderr, "warning:", warning)
	}
	err = output.Write(ctx, s.Output, w.bytes, func(out io.Writer) error {
		_, err := b.WriteTo(out)
		return err
	})
	if err != nil {
		return invalid(until.Cause(ctx, err))
	}
	d, err := b.Digest(ctx) // known by now
	if err != nil {
		return invalid(err)
	}
	if s.Output == output.Stdout {
		fmt.Fprintf(w.Stderr, "%s  %s, %s\n", d, plain.Count(b.Len(), "entry", "entries"), report.Size(b.Size()))
		return nil
	}
	fmt.Fprintf(w.Stdout, "%s  %s\n", d, s.Output)
	return nil
}

// surviveClosedOutput keeps this process alive when whoever reads its output
// stops: a deployment must not break off for that, nor its exit status get lost.
var surviveClosedOutput = sync.OnceFunc(func() {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // writing now fails instead
})

func (w World) deploy(ctx context.Context, s Settings) error {
	surviveClosedOutput()
	reports, reportsErr := parseReports(s.Reports)
	bundleOptions, bundleErr := w.bundleOptions(s, reports)
	server, serverErr := w.serverOptions(ctx, s)
	// The result goes to standard output, unless a report is what goes there.
	result := w.Stdout
	for _, r := range reports {
		if r.path == output.Stdout {
			result = w.Stderr
		}
	}
	rep, err := spirodeploy.Deploy(ctx, spirodeploy.Options{
		Project: s.Project, Deployment: s.Deployment,
		Server: server, Bundle: bundleOptions, File: s.Bundle,
		NoHighstate: s.NoHighstate, RequireMinions: s.RequireMinions, FullToken: s.FullToken,
		Timeout: s.Timeout, DryRun: s.DryRun,
		Problems: []error{problem.Join(s.contradictions(), reportsErr, bundleErr, serverErr)},
		Watch:    report.Story(w.Stderr, report.StoryOptions{}),
	})
	defer func() { _ = rep.Close() }() // a file that nobody needs any more
	// A run that the server never took up has no result to show beside its error.
	told := len(rep.Targets[0].Events) > 0 || err == nil
	if told {
		told = rep.WriteText(result, report.TextOptions{}) == nil // that nobody reads must not change the verdict
	}
	if err != nil {
		err = &Error{Status: rep.ExitStatus, Err: err, Told: told}
	}
	for _, r := range reports {
		write := func(out io.Writer) error {
			return w.text(out, func(out io.Writer) error { return r.view(rep, out) })
		}
		writing := ctx
		if ctx.Err() != nil { // also a run that was interrupted has a report
			writing = context.WithoutCancel(ctx)
		}
		if reportErr := output.Write(writing, r.path, w.bytes, write); reportErr != nil {
			fmt.Fprintf(w.Stderr, "warning: report: %v\n", reportErr)
			if err == nil {
				err = invalid(fmt.Errorf("%s, but the report was not written: %w", rep.Targets[0].Summary, reportErr))
			}
		}
	}
	return err
}

// reportFile is a report to write.
type reportFile struct {
	path string
	view func(*report.Report, io.Writer) error
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
		} else if err := checkPlace(path); err != nil {
			// Better now than after a deployment.
			errs = append(errs, fmt.Errorf("report %q: %w", spec, err))
			continue
		}
		files = append(files, reportFile{path, (*report.Report).WriteJSON})
	}
	if stdout > 1 {
		errs = append(errs, errors.New("report: only one can go to standard output"))
	}
	return files, problem.Join(errs...)
}

// checkPlace returns why there can be no file at a path, as far as that shows.
func checkPlace(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return errors.New("it is a directory")
	}
	switch info, err := os.Stat(filepath.Dir(path)); {
	case err != nil:
		return fmt.Errorf("its directory: %w", err)
	case !info.IsDir():
		return fmt.Errorf("%s is no directory", filepath.Dir(path))
	}
	if _, err := os.Stat(path); err == nil {
		return nil // it may be a device, whose directory is nobody's
	}
	probe, err := os.CreateTemp(filepath.Dir(path), ".spirodeploy-*")
	if err != nil {
		return fmt.Errorf("no file can be made there: %w", err)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// maxCertificate is how much of a certificate file is read, in bytes.
const maxCertificate = 1 << 20

// serverOptions reads the settings for the server. Where it fails, the options
// are still good enough to find out what else is wrong.
func (w World) serverOptions(ctx context.Context, s Settings) (client.Options, error) {
	opts := client.Options{Server: w.ServerURL(s.Server), Insecure: s.Insecure, ConnectTimeout: s.ConnectTimeout}
	var tokenErr, certErr, proxyErr error
	opts.Proxy, proxyErr = w.proxy()
	opts.Token, tokenErr = w.token(ctx, s)
	blank := s.blankToken()
	if blank {
		tokenErr = nil // that is told with the other blank flags
	}
	if tokenErr != nil || blank {
		opts.Token, _ = token.Parse("unread") // stands in for the one that was meant
	}
	if s.SSLCert != "" {
		// Opening a named pipe waits for its writer.
		opts.Certificate, certErr = until.Done(ctx, func() ([]byte, error) { return readCertificate(s.SSLCert) })
	}
	return opts, problem.Join(tokenErr, certErr, proxyErr)
}

// blankToken reports whether a flag that names the token was given, and is empty.
func (s *Settings) blankToken() bool {
	return slices.Contains(s.blank, "--token-file") || slices.Contains(s.blank, "-tokenFile")
}

// ServerURL returns the server that a flag names, or SPIRO_URL, or "" for the default.
func (w World) ServerURL(flag string) string {
	return cmp.Or(strings.TrimSpace(flag), w.env("SPIRO_URL"))
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

func (w World) token(ctx context.Context, s Settings) (token.Token, error) {
	t, err := w.readToken(ctx, s)
	w.know(t, s.Project)
	return t, err
}

func (w World) readToken(ctx context.Context, s Settings) (token.Token, error) {
	switch {
	case s.Token != nil && s.TokenFile != "":
		return token.Token{}, errors.New("token: --token and --token-file are both given: leave one of them out")
	case s.Token != nil:
		t, err := token.Parse(*s.Token)
		if err != nil {
			err = fmt.Errorf("--token: %w: give one in SPIRO_TOKEN or with --token-file", err)
		}
		return t, err
	case s.TokenFile != "":
		t, err := until.Done(ctx, func() (token.Token, error) { return token.ReadFile(s.TokenFile) })
		if err != nil && looksLikeToken(s.TokenFile) {
			w.known.AddText(s.TokenFile)
			err = errors.New("the name of the token's file looks like a token itself: put that into SPIRO_TOKEN, or name the file that it is in")
		}
		return t, err
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

// looksLikeToken reports whether the name of a file is more likely a token that
// was given in its place.
func looksLikeToken(name string) bool {
	t, err := token.Parse(name)
	if err != nil {
		return false
	}
	if _, err := t.Rights(); err == nil {
		return true
	}
	const long = 60
	return len(name) >= long && !strings.ContainsAny(name, "./\\ ")
}

// env returns a variable without the white space around it, as the first-party
// client reads it.
func (w World) env(name string) string { return strings.TrimSpace(w.Getenv(name)) }

// proxy honours HTTP_PROXY, HTTPS_PROXY and NO_PROXY, in capitals or not. What
// it cannot use is an error: to go without the proxy would be something else.
func (w World) proxy() (func(*http.Request) (*url.URL, error), error) {
	var errs []error
	read := func(name string) string {
		v := w.env(name)
		if v == "" {
			name = strings.ToLower(name)
			v = w.env(name)
		}
		if !isProxy(v) {
			errs = append(errs, fmt.Errorf("%s: it is no URL of a proxy, such as http://proxy:3128", name))
		}
		return v
	}
	config := httpproxy.Config{
		HTTPProxy: read("HTTP_PROXY"), HTTPSProxy: read("HTTPS_PROXY"),
		NoProxy: cmp.Or(w.env("NO_PROXY"), w.env("no_proxy")),
		CGI:     w.env("REQUEST_METHOD") != "", // then HTTP_PROXY is a header that anybody may send
	}
	choose := config.ProxyFunc()
	return func(r *http.Request) (*url.URL, error) { return choose(r.URL) }, problem.Join(errs...)
}

// isProxy reports whether package httpproxy, which is silent about what it does
// not take, can use a value: a URL, or one without its scheme.
func isProxy(v string) bool {
	if v == "" {
		return true
	}
	if !strings.Contains(v, "://") {
		v = "http://" + v
	}
	u, err := url.Parse(v)
	return err == nil && u.Host != ""
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
	for _, path := range []string{s.Output, s.Bundle, s.TokenFile, s.SSLCert} {
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
