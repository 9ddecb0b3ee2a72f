// Package targets has mage targets that bundle and deploy Salt states. Import it
// into a magefile:
//
//	//mage:import spiro
//	_ "github.com/spirostack/spirodeploy/spirodeploy/targets"
//
// Flags go after the positions: mage spiro:deploy shop prod -source=git. The
// token comes from SPIRO_TOKEN or a file; no flag takes one. SPIRO_URL and the
// proxy variables are honoured as by the command spiro-deploy. A failed target
// ends mage with the exit status of its verdict.
package targets

import (
	"context"
	"os"
	"time"

	"github.com/spirostack/spirodeploy/internal/edge"
)

// world is where targets take place.
func world() edge.World {
	return edge.World{Getenv: os.Getenv, Stdout: os.Stdout, Stderr: os.Stderr}
}

// or returns what a flag points to, or the zero value of a flag that is not given.
func or[T any](flag *T) (value T) {
	if flag != nil {
		value = *flag
	}
	return value
}

// Bundle writes the bundle of the project and prints its digest.
func Bundle(
	ctx context.Context,
	output *string, // file to write, - for standard output (default bundle.tar)
	dir *string, // project directory (default .)
	artifact *string, // files or directories that the build made, PATH or NAME=PATH, separated by commas (\, for a comma)
	source *string, // add the source: filesystem, fs or git
	exclude *string, // patterns of what to leave out, separated by commas
	gitDescribe *string, // all, tags or off: the second line of .gitcommit (default all)
	digest *string, // refuse a bundle with any other digest
) error {
	out := or(output)
	if out == "" {
		out = "bundle.tar"
	}
	return world().Run(ctx, edge.Settings{
		Output: out, Dir: or(dir), Artifacts: edge.Split(or(artifact)), Source: or(source),
		Exclude: edge.Split(or(exclude)), GitDescribe: or(gitDescribe), Digest: or(digest),
	})
}

// Deploy bundles the project, deploys it, and tells what the minions did.
func Deploy(
	ctx context.Context,
	project string,
	deployment string,
	server *string, // URL of the server (default SPIRO_URL, or https://salt:4510/)
	tokenFile *string, // file with the token (default: SPIRO_TOKEN)
	sslCert *string, // trust this certificate or CA instead of the system's
	insecure *bool, // verify nothing, and allow plain HTTP
	highstate *bool, // apply the states to the minions concerned (default true)
	requireMinions *bool, // fail if no minion is concerned
	dir *string, // project directory (default .)
	artifact *string, // files or directories that the build made, PATH or NAME=PATH, separated by commas (\, for a comma)
	source *string, // add the source: filesystem, fs or git
	exclude *string, // patterns of what to leave out, separated by commas
	gitDescribe *string, // all, tags or off: the second line of .gitcommit (default all)
	bundle *string, // deploy this bundle instead of building one
	digest *string, // refuse a bundle with any other digest
	output *string, // write the bundle and stop
	dryRun *bool, // do everything but send the bundle
	report *string, // reports to write, FORMAT=FILE, separated by commas: json=FILE
	connectTimeout *time.Duration, // how long connecting may take (default 20s)
	timeout *time.Duration, // how long the whole run may take (default: no limit)
) error {
	if err := edge.CheckPosition(project, deployment); err != nil {
		return err
	}
	return world().Run(ctx, edge.Settings{
		Project: project, Deployment: deployment,
		Server: or(server), TokenFile: or(tokenFile), SSLCert: or(sslCert), Insecure: or(insecure),
		NoHighstate: highstate != nil && !*highstate, RequireMinions: or(requireMinions),
		Dir: or(dir), Artifacts: edge.Split(or(artifact)), Source: or(source), Exclude: edge.Split(or(exclude)),
		GitDescribe: or(gitDescribe), Bundle: or(bundle), Digest: or(digest), Output: or(output), DryRun: or(dryRun),
		Reports: edge.Split(or(report)), ConnectTimeout: or(connectTimeout), Timeout: or(timeout),
	})
}

// Check asks the server whether the token is valid.
func Check(
	ctx context.Context,
	server *string, // URL of the server (default SPIRO_URL, or https://salt:4510/)
	tokenFile *string, // file with the token (default: SPIRO_TOKEN)
	sslCert *string, // trust this certificate or CA instead of the system's
	insecure *bool, // verify nothing, and allow plain HTTP
) error {
	return world().Check(ctx, edge.Settings{
		Server: or(server), TokenFile: or(tokenFile), SSLCert: or(sslCert), Insecure: or(insecure),
	})
}

// Diff lists what two bundles differ in.
func Diff(before, after string) error {
	if err := edge.CheckPosition(before, after); err != nil {
		return err
	}
	return world().Diff(before, after)
}

// Token tells what the token allows, without showing it.
func Token(
	tokenFile *string, // file with the token (default: SPIRO_TOKEN)
) error {
	return world().Token(edge.Settings{TokenFile: or(tokenFile)})
}
