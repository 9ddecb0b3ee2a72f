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
	"time"

	"github.com/spirostack/spirodeploy/internal/edge"
)

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
	s := edge.Settings{Mage: true, Output: "bundle.tar"}
	if output != nil {
		s.Output = s.Text("output", output)
	}
	s.Dir, s.Source, s.GitDescribe = s.Text("dir", dir), s.Text("source", source), s.Text("git-describe", gitDescribe)
	s.Artifacts, s.Exclude, s.Digest = s.List("artifact", artifact), s.List("exclude", exclude), s.Text("digest", digest)
	ctx, stop := edge.UntilSignal(ctx, edge.Gone...)
	defer stop()
	return edge.Process().Build(ctx, s)
}

// Deploy bundles the project, deploys it, and tells what the minions did.
func Deploy(
	ctx context.Context,
	project string,
	deployment string,
	server *string, // URL of the server, or of several, separated by commas (default SPIRO_URL, or https://salt:4510/)
	targets *string, // list of targets, in YAML: name, server, project, deployment, certificate, token-variable, token-file
	rollout *string, // parallel or serial: whether to deploy to all servers at once, or to one after the other until one fails (default parallel)
	maxParallel *int, // how many servers at once, at most (default all)
	tokenFile *string, // file with the token (default: SPIRO_TOKEN)
	sslCert *string, // trust this certificate or CA instead of the system's
	insecure *bool, // verify nothing, and allow plain HTTP
	narrowToken *bool, // send the token narrowed to the project (default true)
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
	diff *string, // compare with this bundle and stop
	dryRun *bool, // do everything but send the bundle
	report *string, // reports to write, FORMAT=FILE, separated by commas; a FORMAT is json, ndjson, junit, html or markdown
	verbose *bool, // show every state, and the slowest
	quiet *bool, // show the verdict alone
	color *string, // when to colour: auto, always or never (default auto)
	connectTimeout *time.Duration, // how long connecting may take (default 20s)
	timeout *time.Duration, // how long the whole run may take (default: no limit)
) error {
	if err := edge.CheckPosition(project, deployment); err != nil {
		return err
	}
	s := edge.Settings{
		Mage: true, Project: project, Deployment: deployment,
		Insecure: edge.Or(insecure), FullToken: narrowToken != nil && !*narrowToken,
		NoHighstate: highstate != nil && !*highstate, RequireMinions: edge.Or(requireMinions),
		DryRun: edge.Or(dryRun), ConnectTimeout: edge.Or(connectTimeout), Timeout: edge.Or(timeout),
		Verbose: edge.Or(verbose), Quiet: edge.Or(quiet),
	}
	s.Color = s.Text("color", color)
	s.Dir, s.Source, s.GitDescribe = s.Text("dir", dir), s.Text("source", source), s.Text("git-describe", gitDescribe)
	s.Artifacts, s.Exclude, s.Reports = s.List("artifact", artifact), s.List("exclude", exclude), s.List("report", report)
	s.Several("server", s.List("server", server))
	s.Targets, s.Rollout, s.MaxParallel = s.Text("targets", targets), s.Text("rollout", rollout), edge.Or(maxParallel)
	s.TokenFile, s.SSLCert = s.Text("token-file", tokenFile), s.Text("ssl-cert", sslCert)
	s.Bundle, s.Digest, s.Output = s.Text("bundle", bundle), s.Text("digest", digest), s.Text("output", output)
	s.Diff = s.Text("diff", diff)
	ctx, stop := edge.UntilSignal(ctx, edge.Gone...)
	defer stop()
	return edge.Process().Run(ctx, s)
}

// Check asks the server whether the token is valid, and tells what it allows.
func Check(
	ctx context.Context,
	project *string, // fail unless the token is for this project
	server *string, // URL of the server (default SPIRO_URL, or https://salt:4510/)
	tokenFile *string, // file with the token (default: SPIRO_TOKEN)
	sslCert *string, // trust this certificate or CA instead of the system's
	insecure *bool, // verify nothing, and allow plain HTTP
) error {
	s := edge.Settings{Mage: true, Insecure: edge.Or(insecure)}
	s.Project, s.Server = s.Text("project", project), s.Text("server", server)
	s.TokenFile, s.SSLCert = s.Text("token-file", tokenFile), s.Text("ssl-cert", sslCert)
	ctx, stop := edge.UntilSignal(ctx, edge.Gone...)
	defer stop()
	return edge.Process().Check(ctx, s)
}

// Diff lists what two bundles differ in, with text diffs of small files.
func Diff(
	ctx context.Context,
	before string,
	after string,
	color *string, // when to colour: auto, always or never (default auto)
) error {
	if err := edge.CheckPosition(before, after); err != nil {
		return err
	}
	s := edge.Settings{Mage: true, Diff: before, Bundle: after}
	s.Color = s.Text("color", color)
	ctx, stop := edge.UntilSignal(ctx, edge.Gone...)
	defer stop()
	return edge.Process().Run(ctx, s)
}

// Token tells what the token allows, without showing it, or makes a narrower one, for a CI job.
func Token(
	ctx context.Context,
	tokenFile *string, // file with the token (default: SPIRO_TOKEN)
	project *string, // make one for these projects only, separated by commas
	lifetime *time.Duration, // make one that lasts this long, and 5 minutes more since clocks differ
	output *string, // where the one that is made goes: a file for you alone to read, - for standard output
) error {
	s := edge.Settings{Mage: true, Lifetime: lifetime}
	s.Projects = s.List("project", project)
	s.TokenFile, s.Output = s.Text("token-file", tokenFile), s.Text("output", output)
	return edge.Process().Token(ctx, s)
}
