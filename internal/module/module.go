// Package module is the part of the Dagger module that needs no engine: what
// its functions do once files, services and secrets are at hand.
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

	"github.com/spirostack/spirodeploy/internal/module/spans"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/report/view"
	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

// Outcome is what a deployment came to, in types that an object of the module
// can hold.
type Outcome struct {
	Succeeded  bool
	ExitStatus int
	Summary    string // several lines
	JSON       string
}

// Err returns nil where the deployment succeeded, and else the summary.
func (o Outcome) Err() error {
	if o.Succeeded {
		return nil
	}
	return errors.New(o.Summary)
}

// Deploy deploys, telling the story on out and in spans of the tracer. What the
// server and the minions did is in the outcome; the error is that of a run that
// was given up from outside, or that could not be reported.
func Deploy(ctx context.Context, opts spirodeploy.Options, tracer trace.Tracer, out io.Writer) (*Outcome, error) {
	known := new(token.Known)
	known.Add(opts.Server.Token, opts.Project)
	story, shown := view.Story(known.Writer(out), view.StoryOptions{}), spans.New(ctx, tracer, known.Redact)
	opts.Watch = func(u report.Update) {
		story(u)
		shown(u)
	}
	opts.Server.Proxy, opts.Spell = proxy, spell
	for i := range opts.Targets { // which differ in their servers alone
		server := opts.Server
		server.Address = "" // which is for one server
		server.Server = opts.Targets[i].Server.Server
		opts.Targets[i].Server = &server
	}
	rep, _ := spirodeploy.Deploy(ctx, opts) // the report has the error, too
	defer func() { _ = rep.Close() }()      // a file that nobody needs any more
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

// spell spells an option as an argument of a function. Nothing shows more of a run: its
// report has all.
func spell(o fault.Option) string {
	if o == fault.Verbose || o == fault.Report {
		return ""
	}
	return "--" + string(o)
}

// Check asks the server whether it takes the token, and tells what it said. Of
// the project, only the token itself can tell.
func Check(ctx context.Context, opts client.Options, project string) (string, error) {
	known := new(token.Known)
	known.Add(opts.Token)
	said, err := check(ctx, opts, project)
	return known.Redact(said), known.Error(err)
}

func check(ctx context.Context, opts client.Options, project string) (string, error) {
	opts.Proxy = proxy
	c, err := client.New(opts)
	if err != nil {
		return "", err
	}
	rights, err := opts.Token.Rights()
	readable := err == nil
	if project != "" {
		if err := client.CheckName("project", project); err != nil {
			return "", err
		}
		if readable && !rights.Allows(project) {
			return "", fmt.Errorf("the token is not for project %s: %s", sanitize.Line(project), sanitize.Line(rights.String()))
		}
	}
	if err := c.Check(ctx); err != nil {
		return "", err
	}
	said := c.Server() + ": the token is valid"
	if readable {
		said += ": " + sanitize.Line(rights.String())
	}
	return said, nil
}

// NotUploaded are the paths of a project directory that are not sent to the engine: no
// bundle has them, and they say nothing of the commit.
var NotUploaded = []string{"*/**/.git", ".git/hooks", ".git/lfs", ".git/logs", ".git/modules", ".git/worktrees"}

// Targets returns targets that differ in their servers alone. It fails without any,
// and if the module has a service, which leads to one server.
func Targets(servers []string, service bool) ([]spirodeploy.Target, error) {
	switch {
	case len(servers) == 0:
		return nil, errors.New("name one server or more: to deploy to the module's own, use deploy or deploy-report")
	case service:
		return nil, errors.New("rollout: the module has a service, and all servers would be that one: " +
			"leave --service out if the engine reaches the servers, or call deploy-report with the service of each")
	}
	var targets []spirodeploy.Target
	for _, url := range servers {
		targets = append(targets, spirodeploy.Target{Server: &client.Options{Server: url}})
	}
	return targets, nil
}

// Silence limits how long nothing may come from a server behind a service: the engine
// holds the connection also if the server has gone away.
const Silence = 15 * time.Minute

// Limits reads the text of a time limit for a run, such as "90m" or "1h30m"
// ([time.ParseDuration]); an empty one is no limit. Silence is limited, too, behind
// a service for which the text says nothing: whoever gives a time limit knows how
// long minions may be silent.
func Limits(text string, service bool) (timeout, silence time.Duration, err error) {
	if text == "" {
		if service {
			silence = Silence
		}
		return 0, silence, nil
	}
	timeout, err = time.ParseDuration(text)
	if err != nil || timeout < 0 {
		return 0, 0, fmt.Errorf("timeout %q: it is no duration such as 90s, 45m or 1h30m (0 for no limit)", text)
	}
	return timeout, 0, nil
}

// proxy is what the engine's environment says; this is the module's edge.
func proxy(r *http.Request) (*url.URL, error) { return http.ProxyFromEnvironment(r) }

// ParseToken returns the token in a secret. The error never repeats it.
func ParseToken(plaintext string) (token.Token, error) {
	t, err := token.Parse(plaintext)
	if err != nil {
		return t, fmt.Errorf("read token: %w", err)
	}
	return t, nil
}

// Port returns which of the ports that a service exposes is the deploy server:
// that of the server's URL where it is among them, else 0 for the first.
func Port(server string, exposed []int) int {
	u, err := url.Parse(server)
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

// CheckArtifact returns why there can be no artifact of that name, or nil. A
// directory of the engine would put it elsewhere without a word.
func CheckArtifact(name string) error {
	if !fs.ValidPath(name) || name == "." {
		return fmt.Errorf("artifact %q: its name must be a relative path without empty, . and .. elements", name)
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

// File returns the name and content of a report's file in a format.
func (o Outcome) File(name string) (file, content string, err error) {
	form, ok := view.Find(name)
	switch {
	case !ok || form.Write == nil:
		return "", "", fmt.Errorf("report format %q: there are %s", name, strings.Join(Formats(), ", "))
	case name == "json": // as it is
		return form.File, o.JSON, nil
	}
	rep, err := report.Read(strings.NewReader(o.JSON))
	if err != nil {
		return "", "", err
	}
	defer func() { _ = rep.Close() }() // a file that nobody needs any more
	var b strings.Builder
	if err := form.Write(&b, rep); err != nil {
		return "", "", fmt.Errorf("report: %w", err)
	}
	return form.File, b.String(), nil
}
