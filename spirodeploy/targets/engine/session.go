package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"time"

	"dagger.io/dagger"

	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

// tree says what to bundle in the working directory.
type tree struct {
	artifacts []string
	source    string
	exclude   []string
}

// target is the server.
type target struct {
	url         string
	certificate string // a file
	insecure    bool
}

// order is a deployment to make.
type order struct {
	project, name string
	highstate     bool
	timeout       time.Duration
	tree          tree
	server        target
}

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

// connect finds an engine and has it serve the module. Its errors have an exit status.
func connect(ctx context.Context, ref string) (*session, error) {
	if err := findCLI(); err != nil {
		return nil, noEngine(err)
	}
	c, err := dagger.Connect(ctx, dagger.WithLogOutput(os.Stderr))
	if err != nil {
		if ctx.Err() != nil {
			return nil, failed(ctx, "connect", err)
		}
		return nil, noEngine(err)
	}
	s := &session{c}
	if err := c.ModuleSource(ref).AsModule().Serve(ctx); err != nil {
		s.close()
		var refused *net.OpError
		if errors.As(err, &refused) && refused.Op == "dial" {
			return nil, noEngine(err)
		}
		return nil, failed(ctx, "serve module "+ref, err)
	}
	return s, nil
}

// close ends the session. The work is done by then, so the error does not matter.
func (s *session) close() { _ = s.Close() }

// findCLI points the SDK to the installed dagger command. Otherwise the SDK would download
// one without asking, and take long to fail if it cannot.
func findCLI() error {
	for _, name := range []string{sessionPort, cliBinary} {
		if os.Getenv(name) != "" {
			return nil
		}
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
	return invalid(fmt.Errorf("no Dagger engine can be reached (%s): install dagger and start Docker, or set %s", sanitize.Line(sanitize.Clip(line, most)), runnerHost))
}

// bundle exports the bundle of a tree to a file and returns its digest.
func (s *session) bundle(ctx context.Context, t tree, file string) (digest string, err error) {
	id, err := s.bundleID(ctx, t)
	if err != nil {
		return "", err
	}
	if _, err := dagger.Ref[*dagger.File](s.Client, dagger.ID(id)).Export(ctx, file); err != nil {
		return "", err
	}
	err = s.QueryBuilder().Select("spirodeploy").
		Select("digest").Arg("bundle", id).Bind(&digest).Execute(ctx)
	return digest, err
}

// bundleID has the engine bundle a tree, and returns the id of the bundle.
func (s *session) bundleID(ctx context.Context, t tree) (id string, err error) {
	q := s.QueryBuilder().Select("spirodeploy").
		Select("bundle").Arg("dir", s.Host().Directory("."))
	if len(t.artifacts) > 0 {
		q = q.Arg("artifacts", t.artifacts)
	}
	if t.source != "" {
		q = q.Arg("includeSource", t.source)
	}
	if len(t.exclude) > 0 {
		q = q.Arg("exclude", t.exclude)
	}
	err = q.Select("id").Bind(&id).Execute(ctx)
	return id, err
}

// deploy has the engine deploy a bundle. It asks for all fields of the report in one query,
// so that there is one deployment.
func (s *session) deploy(ctx context.Context, bundleID string, o order, tok token.Token) (result outcome, err error) {
	q := s.QueryBuilder().Select("spirodeploy").Arg("server", o.server.url)
	if o.server.certificate != "" {
		q = q.Arg("sslCert", s.Host().File(o.server.certificate))
	}
	if o.server.insecure {
		q = q.Arg("insecure", true)
	}
	q = q.Select("deployReport").
		Arg("bundle", bundleID).
		Arg("project", o.project).
		Arg("deployment", o.name).
		Arg("token", s.SetSecret("SPIRO_TOKEN", tok.Reveal())).
		Arg("highstate", o.highstate)
	if o.timeout > 0 {
		q = q.Arg("timeout", o.timeout.String())
	}
	err = q.SelectFields("exitStatus", "summary").Bind(&result).Execute(ctx)
	return result, err
}
