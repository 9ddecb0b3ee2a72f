package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"

	"dagger.io/dagger"
	"github.com/dagger/querybuilder"

	"github.com/spirostack/spirodeploy/internal/cli"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

// outcome is the module's report of a deployment.
type outcome struct {
	ExitStatus int    `json:"exitStatus"`
	Summary    string `json:"summary"`
}

// session is a connection to an engine that serves the module.
type session struct{ *dagger.Client }

// Variables that lead to an engine.
const (
	sessionPort = "DAGGER_SESSION_PORT"              // the port of the current session, as in dagger run
	cliBinary   = "_EXPERIMENTAL_DAGGER_CLI_BIN"     // the CLI that starts a session
	runnerHost  = "_EXPERIMENTAL_DAGGER_RUNNER_HOST" // the address of another engine
)

// connect finds an engine and has it serve the module.
func connect(ctx context.Context, ref string) (*session, error) {
	if err := findCLI(); err != nil {
		return nil, noEngine(err)
	}
	c, err := dagger.Connect(ctx, dagger.WithLogOutput(os.Stderr))
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, failed(ctx, "connect", err)
	case err != nil:
		return nil, noEngine(err)
	}
	if err := c.ModuleSource(ref).AsModule().Serve(ctx); err != nil {
		_ = c.Close() // the reason is already an error
		if refused, ok := errors.AsType[*net.OpError](err); ok && refused.Op == "dial" {
			return nil, noEngine(err)
		}
		return nil, failed(ctx, "serve module "+ref, err)
	}
	return &session{c}, nil
}

// findCLI points the SDK to the installed dagger command. Otherwise the SDK would download
// one without asking, and take long to fail if it cannot.
func findCLI() error {
	if os.Getenv(sessionPort) != "" || os.Getenv(cliBinary) != "" {
		return nil
	}
	path, err := exec.LookPath("dagger")
	if err != nil {
		return errors.New("there is no dagger command")
	}
	return os.Setenv(cliBinary, path) // the SDK takes it only from the environment
}

// noEngine returns an error of one line that says what to do.
func noEngine(err error) error {
	const most = 200
	line, _, _ := strings.Cut(strings.TrimSpace(err.Error()), "\n")
	return fmt.Errorf("no Dagger engine can be reached (%s): install dagger and start Docker, or set %s", sanitize.Line(sanitize.Clip(line, most)), runnerHost)
}

// export writes a bundle to a file, and returns its digest.
func (s *session) export(ctx context.Context, bundleID, file string) (digest string, err error) {
	if _, err := dagger.Ref[*dagger.File](s.Client, dagger.ID(bundleID)).Export(ctx, file); err != nil {
		return "", err
	}
	err = s.QueryBuilder().Select("spirodeploy").
		Select("digest").Arg("bundle", bundleID).Bind(&digest).Execute(ctx)
	return digest, err
}

// bundle has the engine bundle the working directory, and returns the id of the bundle.
func (s *session) bundle(ctx context.Context, o cli.Settings) (id string, err error) {
	q := s.QueryBuilder().Select("spirodeploy").
		Select("bundle").Arg("dir", s.Host().Directory("."))
	q = optional(q, "artifacts", o.Artifacts)
	q = optional(q, "includeSource", o.Source)
	q = optional(q, "exclude", o.Exclude)
	err = q.Select("id").Bind(&id).Execute(ctx)
	return id, err
}

// optional adds an argument to a query unless it is zero.
func optional(q *querybuilder.Selection, name string, value any) *querybuilder.Selection {
	if querybuilder.IsZeroValue(value) {
		return q
	}
	return q.Arg(name, value)
}

// deploy has the engine deploy a bundle. It asks for all fields of the report in one query,
// so that there is one deployment.
func (s *session) deploy(ctx context.Context, bundleID string, o cli.Settings, tok token.Token) (result outcome, err error) {
	q := s.QueryBuilder().Select("spirodeploy").Arg("server", o.Servers[0])
	if o.SSLCert != "" {
		q = q.Arg("sslCert", s.Host().File(o.SSLCert))
	}
	q = optional(q, "insecure", o.Insecure).Select("deployReport").
		Arg("bundle", bundleID).
		Arg("project", o.Project).
		Arg("deployment", o.Deployment).
		Arg("token", s.SetSecret("SPIRO_TOKEN", tok.Reveal())).
		Arg("highstate", !o.NoHighstate())
	if o.Timeout > 0 {
		q = q.Arg("timeout", o.Timeout.String())
	}
	err = q.SelectFields("exitStatus", "summary").Bind(&result).Execute(ctx)
	return result, err
}
