package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/spirostack/spirodeploy/internal/ctxio"
	"github.com/spirostack/spirodeploy/internal/errlist"
	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

// maxCertificate is the size of the largest certificate file that is read, in bytes.
const maxCertificate = 1 << 20

// serverOptions reads the settings for the server. If it fails, the options still serve
// to find what else is wrong.
func (w World) serverOptions(ctx context.Context, s Settings) (client.Options, error) {
	opts := client.Options{Server: cmp.Or(w.ServerURL(s.Servers...), s.Defaults.Server), Insecure: s.Insecure, ConnectTimeout: Or(s.ConnectTimeout)}
	opts.MaxEvent, _ = parseSize(s.MaxEvent) // it is 0 if there is none; contradictions reports a bad one
	var tokenErr, certErr, proxyErr error
	if opts.Proxy, proxyErr = w.proxy(); proxyErr == nil && s.Targets == "" && len(s.Servers) < 2 { // else each target has a server of its own
		proxyErr = checkProxy(opts.Proxy, cmp.Or(opts.Server, client.DefaultServer))
	}
	switch {
	case slices.Contains(s.blank, "token-file") || slices.Contains(s.blank, "token"): // contradictions reports them
		opts.Token = unread()
	case s.Targets == "": // else each target has a token of its own
		if opts.Token, tokenErr = w.token(ctx, s); tokenErr != nil {
			opts.Token = unread()
		}
	}
	if s.SSLCert != "" {
		opts.Certificate, certErr = readCertificate(ctx, s.SSLCert)
	}
	var urlErr error
	if len(s.Servers) == 0 && s.Targets == "" {
		urlErr = s.oneURL("SPIRO_URL", w.env("SPIRO_URL"))
	}
	return opts, errlist.Join(tokenErr, certErr, proxyErr, urlErr)
}

// oneURL returns an error for a text that names several servers: the client would take the
// others for a path.
func (s *Settings) oneURL(what, url string) error {
	if !severalURLs.MatchString(url) {
		return nil
	}
	return &fault.Error{Err: fmt.Errorf("%s has several URLs and takes one", what), Help: fault.Hint("name each with " + s.Flag("server"))}
}

var severalURLs = regexp.MustCompile(`,\s*https?://`)

// ServerURL returns the first server of flags, or else of SPIRO_URL, or "".
func (w World) ServerURL(flags ...string) string {
	return cmp.Or(strings.TrimSpace(cmp.Or(flags...)), w.env("SPIRO_URL"))
}

// readCertificate reads a file until ctx ends: to open a named pipe waits for its writer.
func readCertificate(ctx context.Context, path string) ([]byte, error) {
	return ctxio.Done(ctx, func() ([]byte, error) {
		pem, err := head(path, maxCertificate+1)
		switch {
		case err != nil:
			return nil, &fault.Error{What: "certificate", Err: err, Help: "name a file with the certificate or CA to trust, in PEM"}
		case len(pem) == 0:
			return nil, fmt.Errorf("certificate: %s is empty", path)
		case len(pem) > maxCertificate: // the rest may be the one that is needed
			return nil, &fault.Error{What: "certificate", Err: fmt.Errorf("%s is larger than %s", path, human.Size(maxCertificate)), Help: "name a file with the CA of the server alone"}
		}
		return pem, nil
	})
}

// head returns the beginning of a file, or all of it if it is no larger.
func head(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, most))
}

func (w World) token(ctx context.Context, s Settings) (token.Token, error) {
	t, err := w.readToken(ctx, s)
	w.known.Add(t, s.Project)
	return t, err
}

func (w World) readToken(ctx context.Context, s Settings) (token.Token, error) {
	switch {
	case s.Token != "" && s.TokenFile != "":
		return token.Token{}, &fault.Error{What: "token", Err: errors.New("--token and --token-file are both given"), Help: "leave one of them out"}
	case s.Token != "":
		t, err := token.Parse(s.Token)
		if err != nil {
			err = &fault.Error{What: "--token", Err: err, Help: "set {token}"}
		}
		return t, err
	case s.TokenFile != "":
		return w.tokenFile(ctx, s.TokenFile, s.TokenFile)
	}
	t, err := w.tokenVariable("SPIRO_TOKEN")
	if errors.Is(err, token.ErrNone) {
		return s.Defaults.token(ctx)
	}
	return t, err
}

// tokenVariable returns the token in a variable of the environment.
func (w World) tokenVariable(name string) (token.Token, error) {
	t, err := token.Parse(w.Getenv(name))
	switch {
	case errors.Is(err, token.ErrNone):
		err = fmt.Errorf("%s: %w: is the variable not set?", name, err)
	case err != nil:
		err = fmt.Errorf("%s: %w", name, err)
	}
	return t, err
}

// token returns the default token. Without one it returns the zero token, which the
// client refuses.
func (d Defaults) token(ctx context.Context) (token.Token, error) {
	switch {
	case d.TokenFile != "":
		return ctxio.Done(ctx, func() (token.Token, error) { return token.ReadFile(d.TokenFile) })
	case d.Token == nil:
		return token.Token{}, nil
	}
	text, err := d.Token(ctx)
	if err != nil {
		return token.Token{}, fmt.Errorf("find the token: %w", err)
	}
	t, err := token.Parse(text)
	if err != nil {
		return t, fmt.Errorf("the token that was found: %w", err)
	}
	return t, nil
}

// tokenFile reads the token from the file at path. The user called the file name.
func (w World) tokenFile(ctx context.Context, name, path string) (token.Token, error) {
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o004 != 0 && runtime.GOOS != "windows" {
		w.warnings.add(fmt.Sprintf("the token file %s can be read by everybody on this machine (mode %04o): chmod go= takes that away", sanitize.Line(name), info.Mode().Perm()))
	}
	t, err := ctxio.Done(ctx, func() (token.Token, error) { return token.ReadFile(path) })
	if err != nil && looksLikeToken(name) {
		w.known.AddText(name)
		err = &fault.Error{Err: errors.New("the name of the token's file looks like a token itself"), Help: "put that into SPIRO_TOKEN, or name the file that it is in"}
	}
	return t, err
}

// looksLikeToken reports whether a name is more likely a token that was given in the
// name's place.
func looksLikeToken(name string) bool {
	t, err := token.Parse(unquoted(name))
	if err != nil {
		return false
	}
	if _, err := t.Rights(); err == nil {
		return true
	}
	const long = 60
	return len(name) >= long && !strings.ContainsAny(name, "./\\ ")
}

// unquoted returns a text without the quotation marks around it, in which a token is not
// valid, and still a secret.
func unquoted(s string) string { return strings.Trim(strings.TrimSpace(s), `"'`) }

// env returns a variable without the white space around it, as the first-party client
// reads it.
func (w World) env(name string) string { return strings.TrimSpace(w.Getenv(name)) }
