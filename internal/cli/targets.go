package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spirostack/spirodeploy/internal/ctxio"
	"github.com/spirostack/spirodeploy/internal/errlist"
	"github.com/spirostack/spirodeploy/spirodeploy"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

// Orders in which several targets are deployed to.
const (
	parallel = "parallel"
	serial   = "serial"
)

// maxTargets is how large a list of targets may be, in bytes.
const maxTargets = 1 << 20

// targets returns the targets that the settings name, none for the usual server, and the
// files that their list names.
func (w World) targets(ctx context.Context, s Settings, base client.Options) (targets []spirodeploy.Target, files []string, err error) {
	if s.Targets == "" {
		targets, err = s.servers(base)
		return targets, nil, err
	}
	list, err := ctxio.Done(ctx, func() ([]listed, error) { return w.readTargets(s.Targets) })
	if err != nil {
		return nil, nil, fmt.Errorf("targets: %w", err)
	}
	var errs []error
	if slices.ContainsFunc(list, func(l listed) bool { return !l.ownsToken() }) {
		// It is read once: it may come from a pipe, or from a program that asks the user.
		if base.Token, err = w.token(ctx, s); err != nil {
			errs = append(errs, err)
			base.Token = unread()
		}
	}
	seen := map[[4]string]bool{}
	for i, l := range list {
		l.Certificate, l.TokenFile = beside(s.Targets, l.Certificate), beside(s.Targets, l.TokenFile)
		opts, err := w.targetOptions(ctx, s, l, base)
		which := fmt.Sprintf("%s: target %s", s.Targets, cmp.Or(l.Name, fmt.Sprint(i+1)))
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", which, err))
		}
		files = append(files, l.Certificate, l.TokenFile)
		t := spirodeploy.Target{Name: l.Name, Project: l.Project, Deployment: l.Deployment, Server: &opts}
		if t.Name == "" && host(opts.Server) == "" {
			t.Name = fmt.Sprintf("target %d", i+1)
		}
		errs = append(errs, s.checkNames(which, t))
		if seen[s.identity(t)] {
			errs = append(errs, &fault.Error{Err: fmt.Errorf("%s: target %d repeats an earlier one", s.Targets, i+1), Help: "leave one of them out"})
			continue
		}
		seen[s.identity(t)] = true
		targets = append(targets, t)
	}
	return targets, files, errlist.Join(errs...)
}

// servers returns a target for each server that the flags name.
func (s *Settings) servers(base client.Options) (targets []spirodeploy.Target, err error) {
	var errs []error
	var proxyErr error
	named, onHost := map[string]bool{}, map[string]int{} // onHost counts servers
	for i, server := range s.Servers {
		opts := base
		opts.Server = strings.TrimSpace(server)
		at, on := place(opts.Server), host(opts.Server)
		if named[at] {
			errs = append(errs, &fault.Error{Err: fmt.Errorf("%s names %s twice", s.Flag("server"), cmp.Or(on, "a server")), Help: "leave one of them out"})
			continue
		}
		named[at] = true
		onHost[on]++
		t := spirodeploy.Target{Server: &opts}
		if on == "" {
			t.Name = fmt.Sprintf("server %d", i+1)
		}
		targets = append(targets, t)
		if proxyErr == nil && len(s.Servers) > 1 { // the same for each
			proxyErr = checkProxy(opts.Proxy, opts.Server)
		}
	}
	for i := range targets {
		if onHost[host(targets[i].Server.Server)] > 1 { // else the host is its name
			targets[i].Name = cmp.Or(targets[i].Name, place(targets[i].Server.Server))
		}
	}
	return targets, errlist.Join(append(errs, proxyErr)...)
}

// identity returns what tells targets apart.
func (s *Settings) identity(t spirodeploy.Target) [4]string {
	return [4]string{t.Name, cmp.Or(t.Project, s.Project), cmp.Or(t.Deployment, s.Deployment), place(t.Server.Server)}
}

// place returns the normalised URL of a server.
func place(server string) string {
	u, err := url.Parse(cmp.Or(server, client.DefaultServer))
	if err != nil || u.Host == "" {
		return server
	}
	host := strings.ToLower(u.Host)
	if port := map[string]string{"https": ":443", "http": ":80"}[u.Scheme]; port != "" {
		host = strings.TrimSuffix(host, port)
	}
	return u.Scheme + "://" + host + strings.TrimSuffix(u.EscapedPath(), "/")
}

// host returns the host of a server's URL, with the port unless it is the default, or "" if
// the URL has none.
func host(server string) string {
	u, err := url.Parse(cmp.Or(server, client.DefaultServer))
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(strings.ToLower(u.Host), ":4510")
}

// checkNames returns an error if a target has no project or no deployment. The caller says which
// one it is.
func (s *Settings) checkNames(which string, t spirodeploy.Target) error {
	var missing []string
	if cmp.Or(t.Project, s.Project) == "" {
		missing = append(missing, "project")
	}
	if cmp.Or(t.Deployment, s.Deployment) == "" {
		missing = append(missing, "deployment")
	}
	if len(missing) == 0 {
		return nil
	}
	return &fault.Error{What: which, Err: fmt.Errorf("it has no %s", strings.Join(missing, " and no ")), Help: "name it there, or give {project} {deployment}"}
}

// nameless reports whether a target has no project or no deployment. A run could not name it.
func (s *Settings) nameless(targets []spirodeploy.Target) bool {
	if len(targets) == 0 {
		targets = []spirodeploy.Target{{}}
	}
	return slices.ContainsFunc(targets, func(t spirodeploy.Target) bool { return s.checkNames("", t) != nil })
}

func (l listed) ownsToken() bool { return l.TokenVariable != "" || l.TokenFile != "" }

// unread returns a token that stands for one that could not be read, so that the options
// still serve to find what else is wrong.
func unread() token.Token {
	t, _ := token.Parse("unread")
	return t
}

// beside returns a path relative to the folder of a list.
func beside(list, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(list), path)
}

// readTargets reads a list of targets, in YAML.
func (w World) readTargets(path string) ([]listed, error) {
	text, err := head(path, maxTargets+1)
	if err != nil {
		return nil, err
	}
	if len(text) > maxTargets {
		return nil, fmt.Errorf("%s is too large for a list of targets", path)
	}
	w.hideTokens(string(text))
	list, err := (&listReader{path: path}).targets(text)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("%s lists no target", path)
	}
	return list, err
}

// hideTokens hides each word of a list that looks like a token, whatever it stands for.
func (w World) hideTokens(list string) {
	for _, word := range words.FindAllString(list, -1) {
		if word = strings.TrimLeft(word, "./-"); looksLikeToken(word) {
			w.known.AddText(word)
		}
	}
}

var words = regexp.MustCompile(`[\pL\p{Nd}_=+/.-]+`)

// isVariable reports whether a text can name an environment variable.
func isVariable(s string) bool { return variable.MatchString(s) && !looksLikeToken(s) }

var variable = regexp.MustCompile(`^[0-9A-Za-z_]*$`)

// targetOptions returns the options for the server of a listed target. If it fails, they
// still serve to find what else is wrong.
func (w World) targetOptions(ctx context.Context, s Settings, l listed, base client.Options) (client.Options, error) {
	opts := base
	opts.Server = cmp.Or(l.Server, base.Server)
	var certErr, tokenErr error
	// What the list says for this target comes first.
	switch {
	case l.Insecure != nil:
		opts.Insecure = *l.Insecure
		if opts.Insecure && l.Certificate == "" {
			opts.Certificate = nil
		}
	case l.Certificate != "":
		opts.Insecure = false
	}
	if l.Certificate != "" {
		opts.Certificate, certErr = readCertificate(ctx, l.Certificate)
	}
	var t token.Token
	switch {
	case l.TokenVariable != "" && l.TokenFile != "":
		tokenErr = errors.New("token-variable and token-file are both given: leave one of them out")
	case l.TokenVariable != "" && !isVariable(l.TokenVariable):
		w.known.AddText(l.TokenVariable)
		tokenErr = errors.New("token-variable is not the name of a variable: if it is the token itself, put that into a variable, and its name here")
	case l.TokenVariable != "":
		t, tokenErr = w.tokenVariable(l.TokenVariable)
	case l.TokenFile != "":
		t, tokenErr = w.tokenFile(ctx, filepath.Base(l.TokenFile), l.TokenFile)
	default:
		t = base.Token
	}
	w.known.Add(t, cmp.Or(l.Project, s.Project))
	opts.Token = t
	if tokenErr != nil {
		opts.Token = unread()
	}
	return opts, errlist.Join(certErr, tokenErr, checkProxy(opts.Proxy, cmp.Or(opts.Server, client.DefaultServer)))
}
