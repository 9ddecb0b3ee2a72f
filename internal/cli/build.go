package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/spirostack/spirodeploy/internal/atomicfile"
	"github.com/spirostack/spirodeploy/internal/errlist"
	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/preflight"
	"github.com/spirostack/spirodeploy/internal/pulse"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

// Build writes the bundle to s.Output and prints its digest. It needs no server.
func (w World) Build(ctx context.Context, s Settings) error { return w.locally(ctx, s, World.build) }

func (w World) build(ctx context.Context, s Settings, opts bundle.Options) error {
	b, where, err := w.writeBundle(ctx, s, opts)
	if b != nil {
		defer b.Close()
	}
	if err != nil {
		return err
	}
	d, err := b.Digest(ctx) // it has been computed
	if err != nil {
		return err
	}
	if s.Output == atomicfile.Stdout {
		fmt.Fprintf(w.Stderr, "%s  %s, %s\n", d, human.Count(b.Len(), "entry", "entries"), human.Size(b.Size()))
		return nil
	}
	return w.PrintDigest(d.String(), where)
}

// writeBundle makes the bundle, writes or pushes it, and shows the progress. It returns
// the bundle, also with an error if that came later, and where it is.
func (w World) writeBundle(ctx context.Context, s Settings, opts bundle.Options) (b *bundle.Bundle, where string, err error) {
	watch, end := w.show(s, 1)
	defer end()
	var mu sync.Mutex // the pulse calls it from a goroutine of its own
	tell := func(u report.Update) {
		mu.Lock()
		defer mu.Unlock()
		u.Stage, u.Time = report.Bundling, time.Now()
		watch(u)
	}
	tell(report.Update{Kind: report.Began})
	const often = 10 * time.Second
	defer pulse.Start(often, func() { tell(report.Update{Kind: report.Waited}) })()
	b, err = bundle.New(ctx, opts)
	if err != nil {
		return nil, "", err
	}
	warnings, err := w.checkBundle(ctx, s, b)
	if err != nil {
		return b, "", err
	}
	for _, warning := range warnings {
		tell(report.Update{Kind: report.Warned, Text: warning.String(), Minor: warning.Minor})
	}
	switch {
	case inRegistry(s.Output):
		where, err = w.push(ctx, s, opts, b, tell)
		return b, where, err
	case s.Output == atomicfile.Stdout && isTerminal(w.bytes):
		return b, "", &fault.Error{Err: errors.New("standard output is a terminal, and a bundle is not text"), Help: "write it to a file, or into a pipe"}
	case s.Output == atomicfile.Stdout:
		if err := atomicfile.CheckStdout(w.bytes); err != nil {
			return b, "", err
		}
	}
	return b, s.Output, atomicfile.Write(ctx, s.Output, w.bytes, func(out io.Writer) error {
		_, err := b.WriteTo(&counted{Writer: out, tell: tell, total: b.Size()})
		return err
	})
}

// checkBundle checks the states of the bundle. It returns warnings, and the problems as
// an error.
func (w World) checkBundle(ctx context.Context, s Settings, b *bundle.Bundle) (warnings []bundle.Warning, err error) {
	warnings = b.Warnings()
	_, problems, found := preflight.Check(ctx, preflight.Of(b), preflight.Options{
		Project: s.Project, Deployment: s.Deployment, Tolerant: report.Missing(s.MissingMinions) == report.Warn, NoHighstate: s.NoHighstate(),
	})
	if s.Strict {
		problems = append(problems, preflight.Strict(warnings, found...)...)
	}
	for _, text := range found {
		warnings = append(warnings, bundle.Warning{Text: text})
	}
	return warnings, errlist.Join(problems...)
}

// counted counts what is written, and reports it every MiB.
type counted struct {
	io.Writer
	tell        report.Watcher
	sent, total int64
	told        int64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.sent += int64(n)
	const often = 1 << 20
	if c.sent-c.told >= often || c.sent == c.total {
		c.told = c.sent
		c.tell(report.Update{Kind: report.Progressed, Sent: c.sent, Total: c.total})
	}
	return n, err
}

// bundleOptions returns the options of the bundle. The bundle leaves out files that the
// run itself reads or writes, which are its output and these.
func (w World) bundleOptions(s Settings, files []string) (bundle.Options, error) {
	opts := bundle.Options{
		Dir: cmp.Or(s.Dir, "."), Exclude: s.Exclude, GitDescribe: bundle.Describe(s.GitDescribe), Digest: digest.Digest(strings.TrimSpace(s.Digest)),
	}
	for _, a := range s.Artifacts {
		opts.Artifacts = append(opts.Artifacts, bundle.ParseArtifact(opts.Dir, a))
	}
	outputErr := s.checkOutput(opts, files)
	for _, path := range append(files, s.Output) {
		if path != "" && path != atomicfile.Stdout && !inRegistry(path) {
			opts.Omit = append(opts.Omit, path)
		}
	}
	var sourceErr, timeErr error
	opts.Source, sourceErr = bundle.ParseSource(s.Source)
	opts.ModTime, timeErr = w.sourceDate()
	opts.Withhold = w.tokenVariables()
	return opts, errlist.Join(outputErr, sourceErr, timeErr)
}

// checkOutput returns an error if the output would take the place of a file that the run
// reads, or be a state, or cannot be written: the user learns it before the bundle is made.
func (s *Settings) checkOutput(opts bundle.Options, files []string) error {
	if s.Output == "" || inRegistry(s.Output) {
		return nil
	}
	err := checkTarget(s.Output, files, opts)
	if err == nil && s.Output != atomicfile.Stdout {
		err = checkPlace(s.Output, false)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", s.Flag("output"), s.Output, err)
	}
	return nil
}

// tokenVariables returns the environment variables that hold a token: git, and the
// filters that it runs, must not get them.
func (w World) tokenVariables() []string {
	var names []string
	for _, kv := range os.Environ() {
		name, value, _ := strings.Cut(kv, "=")
		t, err := token.Parse(unquoted(value))
		if err != nil {
			continue
		}
		_, err = t.Rights()
		if err == nil || w.known.Redact(unquoted(value)) == t.String() {
			names = append(names, name)
		}
	}
	return names
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
