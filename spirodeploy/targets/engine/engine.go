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
	"path/filepath"
	"time"

	"github.com/spirostack/spirodeploy/internal/cli"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
)

// Bundle has a Dagger engine bundle the working directory, writes the bundle, and prints its digest.
func Bundle(
	ctx context.Context,
	output *string, // file to write (default bundle.tar)
	artifact *string, // files or directories that the build made, PATH or NAME=PATH, separated by commas (\, for a comma)
	source *string, // add the source: filesystem, fs or git
	exclude *string, // patterns of what to leave out, separated by commas
	module *string, // Dagger module to serve (default: this project's)
) error {
	file := cli.Or(output)
	if file == "" {
		file = "bundle.tar"
	}
	file, err := filepath.Abs(file)
	if err != nil {
		return invalid(err)
	}
	t := tree{artifacts: cli.Split(cli.Or(artifact)), source: cli.Or(source), exclude: cli.Split(cli.Or(exclude))}
	ctx, stop := cli.UntilSignal(ctx, cli.Gone...)
	defer stop()
	return cli.Process().Discreetly(cli.Settings{Mage: true}, func(w cli.World) error {
		return bundle(ctx, w, cli.Or(module), t, file)
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
	exclude *string, // patterns of what to leave out, separated by commas
	module *string, // Dagger module to serve (default: this project's)
	timeout *time.Duration, // how long the whole run may take (default no limit)
) error {
	if err := cli.CheckPosition(project, deployment); err != nil {
		return err
	}
	ctx, stop := cli.UntilSignal(ctx, cli.Gone...)
	defer stop()
	o := order{
		project: project, name: deployment, highstate: highstate == nil || *highstate, timeout: cli.Or(timeout),
		tree:   tree{artifacts: cli.Split(cli.Or(artifact)), source: cli.Or(source), exclude: cli.Split(cli.Or(exclude))},
		server: target{url: cmp.Or(cli.Process().ServerURL(cli.Or(server)), client.DefaultServer), certificate: cli.Or(sslCert), insecure: cli.Or(insecure)},
	}
	s := cli.Settings{Mage: true, TokenFile: cli.Or(tokenFile)}
	return cli.Process().Discreetly(s, func(w cli.World) error { return deploy(ctx, w, cli.Or(module), o, s) })
}
