// Package engine provides mage targets that bundle and deploy in a Dagger engine, with the
// functions of this project's Dagger module. Import it into a magefile:
//
//	//mage:import dagger
//	_ "github.com/spirostack/spirodeploy/spirodeploy/targets/engine"
//
// Targets that need no engine are in package targets, which does not need Dagger's SDK.
// Flags follow the positional arguments: mage dagger:deploy shop prod -source=git. The
// token comes from SPIRO_TOKEN or a file and reaches the engine as a secret; no flag takes
// it.
//
// The engine serves the module in the working directory if that is this project's
// repository. Otherwise it serves the version in the go.mod of the magefile. The flag
// -module overrides both.
package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spirostack/spirodeploy/internal/cli"
	"github.com/spirostack/spirodeploy/internal/errlist"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

// Bundle has a Dagger engine bundle the working directory, writes the bundle, and prints its digest.
func Bundle(
	ctx context.Context,
	output *string, // file to write (default bundle.tar)
	artifact *string, // files or directories that the build made, PATH or NAME=PATH, separated by commas (\, for a comma)
	source *string, // add the source: filesystem, fs or git
	exclude *string, // patterns of what to leave out, separated by commas (\, for a comma, as in {a\,b})
	module *string, // Dagger module to serve (default: this project's)
) error {
	s := settings(artifact, source, exclude)
	ref := s.Text("module", module)
	file, pathErr := filepath.Abs(cmp.Or(s.Text("output", output), "bundle.tar"))
	check := func(context.Context, cli.World) error { return pathErr }
	return withBundle(ctx, s, ref, check, func(ctx context.Context, w cli.World, e *session, id string) error {
		digest, err := e.export(ctx, id, file)
		if err != nil {
			return failed(ctx, "bundle", err)
		}
		return w.PrintDigest(digest, file)
	})
}

// Deploy has a Dagger engine bundle the working directory and deploy it, and reports what the minions did.
func Deploy(
	ctx context.Context,
	project string,
	deployment string,
	server *string, // URL of the server (default SPIRO_URL, or https://salt:4510/)
	tokenFile *string, // file with the token (default: SPIRO_TOKEN)
	sslCert *string, // trust this certificate or CA instead of the engine's
	insecure *bool, // verify nothing, and allow plain HTTP
	highstate *bool, // apply the states to the minions concerned (default true)
	artifact *string, // files or directories that the build made, PATH or NAME=PATH, separated by commas (\, for a comma)
	source *string, // add the source: filesystem, fs or git
	exclude *string, // patterns of what to leave out, separated by commas (\, for a comma, as in {a\,b})
	module *string, // Dagger module to serve (default: this project's)
	timeout *time.Duration, // how long the whole run may take (default no limit)
) error {
	if err := cli.CheckPosition(project, deployment); err != nil {
		return err
	}
	s := settings(artifact, source, exclude)
	s.Project, s.Deployment, s.Highstate, s.Timeout, s.Insecure = project, deployment, highstate, cli.Or(timeout), cli.Or(insecure)
	s.TokenFile, s.SSLCert = s.Text("token-file", tokenFile), s.Text("ssl-cert", sslCert)
	s.Servers = []string{cmp.Or(cli.Process().ServerURL(s.Text("server", server)), client.DefaultServer)}
	ref := s.Text("module", module)
	var tok token.Token
	check := func(ctx context.Context, w cli.World) (err error) {
		tok, err = w.NeedToken(ctx, s)
		return errlist.Join(client.CheckName("project", project), client.CheckName("deployment", deployment), err)
	}
	return withBundle(ctx, s, ref, check, func(ctx context.Context, w cli.World, e *session, id string) error {
		result, err := e.deploy(ctx, id, s, tok)
		if err != nil {
			return undecided(ctx, err)
		}
		fmt.Fprintln(w.Stdout, result.Summary) // the engine itself prints the progress on standard error
		if result.ExitStatus == 0 {
			return nil
		}
		return &cli.Error{Status: result.ExitStatus, Err: errors.New(lastLine(result.Summary)), Told: true}
	})
}

// settings returns the settings of a bundle.
func settings(artifact, source, exclude *string) cli.Settings {
	s := cli.Settings{Mage: true}
	s.Artifacts, s.Source, s.Exclude = s.List("artifact", artifact), s.Text("include-source", source), s.List("exclude", exclude)
	return s
}
