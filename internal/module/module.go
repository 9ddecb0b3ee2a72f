// Package module implements the functions of the Dagger module once their files, services
// and secrets are at hand. It needs no engine.
package module

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/spirostack/spirodeploy/internal/module/args"
	"github.com/spirostack/spirodeploy/internal/module/spans"
	"github.com/spirostack/spirodeploy/internal/preflight"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/report/view"
	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

// Outcome is the result of a deployment, in types that an object of the module can hold.
type Outcome struct {
	Succeeded  bool
	ExitStatus int
	Summary    string // several lines
	JSON       string
}

// Err returns the summary as an error unless the deployment succeeded.
func (o Outcome) Err() error {
	if o.Succeeded {
		return nil
	}
	return errors.New(o.Summary)
}

// Deploy deploys to the server of the options, or to other servers that differ only in
// their URLs. It reports the progress on out and in spans of the tracer. The outcome says
// what the server and the minions did, even if they failed. Deploy returns an error only if
// the caller interrupted the run, or the report could not be written.
func Deploy(ctx context.Context, opts spirodeploy.Options, servers []string, tracer trace.Tracer, out io.Writer) (*Outcome, error) {
	known := new(token.Known)
	known.Add(opts.Server.Token, opts.Project)
	story, shown := view.Story(known.Writer(out), view.StoryOptions{}), spans.New(ctx, tracer, known.Redact)
	opts.Watch = func(u report.Update) {
		story(u)
		shown(u)
	}
	opts.Server.Proxy, opts.Spell = proxy, args.Spell
	opts.Server.Server = strings.TrimSpace(opts.Server.Server)
	opts.Problems = append(slices.Clone(opts.Problems), contradictions(opts, servers)...)
	for _, url := range servers {
		server := opts.Server
		server.Server, server.Address = strings.TrimSpace(url), "" // the address is for one server
		opts.Targets = append(opts.Targets, spirodeploy.Target{Server: &server})
	}
	rep, _ := spirodeploy.Deploy(ctx, opts) // the report has the error, too
	defer func() { _ = rep.Close() }()      // removes a temporary file
	if rep.Verdict == report.Interrupted {
		return nil, errors.New(known.Redact(rep.Err().Error()))
	}
	var text, json bytes.Buffer
	if err := errors.Join(view.Text(&text, rep, view.TextOptions{}), view.JSON(&json, rep)); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	return &Outcome{
		Succeeded: rep.Verdict == report.Success, ExitStatus: rep.ExitStatus,
		Summary: known.Redact(strings.TrimRight(text.String(), "\n")), JSON: known.RedactJSON(json.String()),
	}, nil
}

// Check asks the server whether the token is valid, and returns what the token allows.
// It fails if the token, as far as it can be decoded, is not for the project.
func Check(ctx context.Context, opts client.Options, project string) (string, error) {
	known := new(token.Known)
	known.Add(opts.Token)
	said, err := check(ctx, opts, project)
	if err != nil {
		err = errors.New(sanitize.Text(known.Redact(fault.Line(err, args.Spell)))) // a token may name any project
	}
	return known.Redact(said), err
}

// check does what Check does. Its errors are not redacted.
func check(ctx context.Context, opts client.Options, project string) (string, error) {
	opts.Proxy, opts.Server = proxy, strings.TrimSpace(opts.Server)
	if err := checkServer(opts); err != nil {
		return "", err
	}
	question, err := preflight.NewQuestion(opts, project)
	if err != nil {
		return "", err
	}
	answer, warning, err := question.Ask(ctx)
	if warning != "" {
		answer += "\nwarning: " + warning
	}
	return answer, err
}

// NotUploaded are the paths of a project directory that the engine does not get. No bundle
// contains them, and they do not describe the commit.
var NotUploaded = []string{"*/**/.git", ".git/hooks", ".git/lfs", ".git/logs", ".git/modules", ".git/worktrees"}

// CheckServers returns an error if there is no server, or if the module has a service, which
// leads to only one server.
func CheckServers(servers []string, service bool) error {
	switch {
	case len(servers) == 0:
		return errors.New("name at least one server: to deploy to the module's own, use deploy or deploy-report")
	case slices.ContainsFunc(servers, isBlank): // it would be the default server
		return errors.New("--servers has an empty value: is a variable not set?")
	case service:
		return errors.New("rollout: the module has a service, and all servers would be that one: " +
			"leave --service out if the engine reaches the servers, or call deploy-report with the service of each")
	}
	return nil
}

// Silence limits how long a server behind a service may be silent. The engine keeps the
// connection open even if the server goes away.
const Silence = 15 * time.Minute

// Limits reads the time limit for a run, such as "90m" or "1h30m" ([time.ParseDuration]);
// an empty text means no limit. Behind a service, Limits also limits silence if the text is
// empty. A user who sets a time limit knows how long minions may be silent.
func Limits(text string, service bool) (timeout, silence time.Duration, err error) {
	if text == "" {
		if service {
			silence = Silence
		}
		return 0, silence, nil
	}
	timeout, err = time.ParseDuration(text)
	if err != nil || timeout < 0 {
		return 0, 0, fmt.Errorf("timeout %q: it is not a duration such as 90s, 45m or 1h30m (0 for no limit)", text)
	}
	return timeout, 0, nil
}

// proxy chooses the proxy that the engine's environment names.
func proxy(r *http.Request) (*url.URL, error) { return http.ProxyFromEnvironment(r) }

// ParseToken parses the plaintext of a secret. The error never contains the token.
func ParseToken(plaintext string) (token.Token, error) {
	t, err := token.Parse(plaintext)
	if err != nil {
		return t, fmt.Errorf("read token: %w", err)
	}
	return t, nil
}

// Port returns the port of the server's URL if a service exposes it, and otherwise 0, which
// means the first port.
func Port(server string, exposed []int) int {
	u, err := url.Parse(strings.TrimSpace(server))
	if err != nil {
		return 0
	}
	text := u.Port()
	if text == "" {
		text = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	port, err := strconv.Atoi(text)
	if err != nil || !slices.Contains(exposed, port) {
		return 0
	}
	return port
}

// CheckArtifact returns an error if an artifact cannot have the name. A directory of the
// engine would silently put it elsewhere.
func CheckArtifact(name string) error {
	if !fs.ValidPath(name) || name == "." {
		return fmt.Errorf("artifact %q: its name must be a relative path without empty, . and .. elements", name)
	}
	if slices.Contains(strings.Split(name, "/"), ".git") {
		return fmt.Errorf("artifact %q: .git is never a part of a bundle", name)
	}
	return nil
}

// Formats returns the formats of a finished report.
func Formats() []string {
	var names []string
	for _, f := range view.Formats {
		if f.Write != nil {
			names = append(names, f.Name)
		}
	}
	return names
}

// File returns the name and content of the report's file in a format.
func (o Outcome) File(name string) (file, content string, err error) {
	form, ok := view.Find(name)
	switch {
	case !ok || form.Write == nil:
		return "", "", fmt.Errorf("unknown report format %q: the formats are %s", name, strings.Join(Formats(), ", "))
	case name == "json":
		return form.File, o.JSON, nil
	}
	rep, err := report.Read(strings.NewReader(o.JSON))
	if err != nil {
		return "", "", err
	}
	defer func() { _ = rep.Close() }() // removes a temporary file
	var b strings.Builder
	if err := form.Write(&b, rep); err != nil {
		return "", "", fmt.Errorf("report: %w", err)
	}
	return form.File, b.String(), nil
}
