package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/registry"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// inRegistry reports whether a flag names a bundle in a registry, not a file. Any URL is
// meant for one: package registry says what is wrong with it, and repeats no password.
func inRegistry(name string) bool { return isURL.MatchString(name) }

var isURL = regexp.MustCompile(`(?i)^([a-z][a-z0-9+.-]+:/|oci:)`)

// asksRegistry reports whether a flag names a bundle in a registry.
func (s *Settings) asksRegistry() bool {
	return slices.ContainsFunc([]string{s.Output, s.Bundle, s.Diff}, inRegistry)
}

// checkRegistry returns what is wrong with the flags about registries.
func (s *Settings) checkRegistry(given map[string]bool) []error {
	var errs []error
	for _, f := range []struct{ flag, name string }{{"output", s.Output}, {"bundle", s.Bundle}, {"diff", s.Diff}} {
		if !inRegistry(f.name) {
			continue
		}
		if _, err := registry.Parse(f.name); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s.Flag(f.flag), err))
		}
	}
	if given["registry-source"] && s.asksRegistry() && !inRegistry(s.Output) {
		errs = append(errs, fmt.Errorf("%s has no effect: it is noted with a bundle that %s pushes", s.Flag("registry-source"), s.Flag("output")))
	}
	for _, flag := range []string{"registry-cert", "registry-plain", "registry-source"} {
		if given[flag] && !s.asksRegistry() {
			errs = append(errs, fmt.Errorf("%s has no effect: no flag names a bundle with %s", s.Flag(flag), registry.Scheme))
		}
	}
	return errs
}

// registry returns the address of a bundle, and a client for it with the login of Docker's
// configuration.
func (w World) registry(ctx context.Context, s Settings, name string, progress func(done, total int64)) (addr registry.Address, c *registry.Client, err error) {
	if addr, err = registry.Parse(name); err != nil {
		return addr, nil, err
	}
	opts := registry.Options{PlainHTTP: s.RegistryPlain, ConnectTimeout: Or(s.ConnectTimeout), Progress: progress}
	if opts.Proxy, err = w.proxy(); err != nil {
		return addr, nil, err
	}
	scheme := "https://"
	if s.RegistryPlain {
		scheme = "http://"
	}
	if err := checkProxy(opts.Proxy, scheme+addr.Host); err != nil {
		return addr, nil, err
	}
	if s.RegistryCert != "" {
		if opts.Certificate, err = readCertificate(ctx, s.RegistryCert); err != nil {
			return addr, nil, fmt.Errorf("%s: %w", s.Flag("registry-cert"), err)
		}
	}
	dir := w.env("DOCKER_CONFIG") // https://docs.docker.com/reference/cli/docker/#environment-variables
	if home, err := os.UserHomeDir(); dir == "" && err == nil {
		dir = filepath.Join(home, ".docker")
	}
	if dir != "" {
		opts.Credentials = registry.Docker(filepath.Join(dir, "config.json"))
	}
	c, err = registry.New(opts)
	return addr, c, err
}

// pull gets a bundle out of a registry into a temporary file.
func (w World) pull(ctx context.Context, s Settings, name string, progress func(done, total int64)) (*registry.File, error) {
	addr, c, err := w.registry(ctx, s, name, progress)
	if err != nil {
		return nil, err
	}
	file, err := c.PullFile(ctx, addr)
	return file, ofRegistry(err)
}

// ofRegistry returns an error of a registry with its verdict. The server got nothing.
func ofRegistry(err error) error {
	verdict := report.Verdict("")
	switch {
	case err == nil:
		return nil
	case errors.Is(err, registry.ErrNotFound), errors.Is(err, registry.ErrDenied), errors.Is(err, registry.ErrRefused):
		verdict = report.Refused
	case errors.Is(err, registry.ErrUnreachable):
		verdict = report.Unreachable
	}
	return &report.UnsentError{Err: err, Verdict: verdict}
}

// fetch makes a plan pull its bundle if that is in a registry. The function removes the
// file.
func (w World) fetch(p *plan) (remove func()) {
	name := p.options.File
	if !inRegistry(name) {
		return func() {}
	}
	var file *registry.File
	p.options.File = ""
	p.options.Fetch = func(ctx context.Context, progress func(done, total int64)) (path, origin string, err error) {
		if file, err = w.pull(ctx, p.settings, name, progress); err != nil {
			return "", "", err
		}
		return file.Path(), file.Address.String(), nil
	}
	return func() {
		if file != nil {
			_ = file.Close() // it is a temporary file
		}
	}
}

// Push puts the bundle into the registry s.Output, and prints its digest and address.
func (w World) Push(ctx context.Context, s Settings) error {
	if _, err := registry.Parse(s.Output); err != nil {
		return withStatus(err) // the address is not a flag here
	}
	return w.Build(ctx, s)
}

// push puts a bundle into a registry, and returns its address there, with the digest of
// the manifest.
func (w World) push(ctx context.Context, s Settings, opts bundle.Options, b *bundle.Bundle, tell report.Watcher) (string, error) {
	addr, c, err := w.registry(ctx, s, s.Output, func(done, total int64) {
		tell(report.Update{Kind: report.Progressed, Stage: report.Bundling, Sent: done, Total: total})
	})
	if err != nil {
		return "", err
	}
	result, err := c.Push(ctx, addr, b, registry.Origin{Source: s.RegistrySource, Created: opts.ModTime})
	if err != nil {
		return "", ofRegistry(err)
	}
	return sanitize.Line(result.Address.String()), nil
}
