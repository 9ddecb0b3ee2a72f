// Package targets provides mage targets that bundle and deploy Salt states. Import it into
// a magefile:
//
//	//mage:import spiro
//	_ "github.com/spirostack/spirodeploy/spirodeploy/targets"
//
// Flags follow the positional arguments: mage spiro:deploy shop prod -source=git. The
// token comes from SPIRO_TOKEN or a file; no flag takes it. SPIRO_URL and the proxy
// variables work as in the command spiro-deploy. If a target fails, mage exits with the
// exit status of its verdict.
package targets

import (
	"cmp"
	"context"
	"time"

	"github.com/spirostack/spirodeploy/internal/cli"
)

// Bundle writes the bundle of the project and prints its digest.
func Bundle(
	ctx context.Context,
	output *string, // file to write, - for standard output (default bundle.tar)
	dir *string, // project directory (default .)
	artifact *string, // files or directories that the build made, PATH or NAME=PATH, separated by commas (\, for a comma)
	source *string, // add the source: filesystem, fs or git
	exclude *string, // patterns of what to leave out, separated by commas (\, for a comma, as in {a\,b})
	gitDescribe *string, // all, tags or off: the second line of .gitcommit (default all)
	digest *string, // refuse a bundle with any other digest
	missingMinions *string, // fail or warn if an SLS that the top file names is missing (default fail)
	strict *bool, // write nothing if there is a warning
) error {
	s := bundleSettings(Defaults, dir, artifact, source, exclude, gitDescribe, digest, missingMinions, strict)
	s.Output = orText(&s, "output", output, "bundle.tar")
	return until(ctx, cli.World.Build, s)
}

// until does something with settings, until a signal ends it.
func until(ctx context.Context, do func(cli.World, context.Context, cli.Settings) error, s cli.Settings) error {
	ctx, stop := cli.UntilSignal(ctx, cli.Gone...)
	defer stop()
	return do(cli.Process(), ctx, s)
}

// bundleSettings returns the settings of a bundle, with defaults.
func bundleSettings(d Options, dir, artifact, source, exclude, gitDescribe, digest, missingMinions *string, strict *bool) cli.Settings {
	s := settings()
	s.MissingMinions, s.Strict = orText(&s, "missing-minions", missingMinions, d.MissingMinions), or(strict, d.Strict)
	s.Dir, s.Source, s.GitDescribe = orText(&s, "dir", dir, d.Dir), orText(&s, "include-source", source, d.Source), s.Text("git-describe", gitDescribe)
	s.Artifacts, s.Exclude, s.Digest = orList(&s, "artifact", artifact, d.Artifacts), orList(&s, "exclude", exclude, d.Exclude), s.Text("digest", digest)
	return s
}

// Push puts the bundle of the project into a registry, and prints its digest and address.
func Push(
	ctx context.Context,
	address string, // such as oci://registry.example.com/shop:1.4
	dir *string, // project directory (default .)
	artifact *string, // files or directories that the build made, PATH or NAME=PATH, separated by commas (\, for a comma)
	source *string, // add the source: filesystem, fs or git
	exclude *string, // patterns of what to leave out, separated by commas (\, for a comma, as in {a\,b})
	gitDescribe *string, // all, tags or off: the second line of .gitcommit (default all)
	digest *string, // refuse a bundle with any other digest
	missingMinions *string, // fail or warn if an SLS that the top file names is missing (default fail)
	strict *bool, // push nothing if there is a warning
	registryCert *string, // trust this certificate or CA of the registry, beside the system's
	registryPlain *bool, // speak plain HTTP with the registry
	registrySource *string, // URL of the source, to note with the bundle
) error {
	if err := cli.CheckPosition(address); err != nil {
		return err
	}
	s := bundleSettings(Defaults, dir, artifact, source, exclude, gitDescribe, digest, missingMinions, strict)
	s.Output, s.RegistryPlain = address, cli.Or(registryPlain)
	s.RegistryCert, s.RegistrySource = s.Text("registry-cert", registryCert), s.Text("registry-source", registrySource)
	return until(ctx, cli.World.Push, s)
}

// Deploy bundles the project, deploys it, and reports what the minions did.
func Deploy(
	ctx context.Context,
	project string,
	deployment string,
	server *string, // URL of the server, or of several, separated by commas (default SPIRO_URL, or https://salt:4510/)
	targets *string, // list of targets, in YAML: name, server, project, deployment, certificate, insecure, token-variable, token-file
	rollout *string, // deploy to all servers at once (parallel) or to one after the other until one fails (serial) (default parallel)
	maxParallel *int, // deploy to at most this many servers at once (default all)
	tokenFile *string, // file with the token (default: SPIRO_TOKEN)
	sslCert *string, // trust this certificate or CA instead of the system's
	insecure *bool, // verify nothing, and allow plain HTTP
	narrowToken *bool, // send the token narrowed to the project (default true)
	highstate *bool, // apply the states to the minions concerned (default true)
	requireMinions *bool, // fail if the deployment concerns no minion
	dir *string, // project directory (default .)
	artifact *string, // files or directories that the build made, PATH or NAME=PATH, separated by commas (\, for a comma)
	source *string, // add the source: filesystem, fs or git
	exclude *string, // patterns of what to leave out, separated by commas (\, for a comma, as in {a\,b})
	gitDescribe *string, // all, tags or off: the second line of .gitcommit (default all)
	bundle *string, // deploy this bundle instead of building one: a file, or oci://REGISTRY/NAME:TAG
	digest *string, // refuse a bundle with any other digest
	output *string, // write the bundle and stop
	diff *string, // compare with this bundle and stop
	dryRun *bool, // do everything but send the bundle
	report *string, // reports to write, FORMAT=FILE, separated by commas; a FORMAT is json, ndjson, junit, html or markdown
	verbose *bool, // show every state, and the slowest ones
	quiet *bool, // show only the verdict
	color *string, // when to colour: auto, always or never (default auto)
	connectTimeout *time.Duration, // how long connecting may take (default 20s)
	timeout *time.Duration, // how long the whole run may take (default no limit)
	maxEvent *string, // how large an event of the server, such as the result of a minion, may be (default 16MiB)
	missingMinions *string, // fail or warn if minions that the top file names by their ids are not reached, or no minion at all (default fail)
	expectMinion *string, // ids of minions that must be reached, separated by commas
	expectFrom *string, // an earlier report in JSON whose minions must be reached
	minMinions *int, // how many minions must be reached
	strict *bool, // send nothing if there is a warning before the upload
	registryCert *string, // trust this certificate or CA of the registry that the bundle comes from, beside the system's
	registryPlain *bool, // speak plain HTTP with that registry
) error {
	if err := cli.CheckPosition(project, deployment); err != nil {
		return err
	}
	d := Defaults.beside(given{
		bundle: bundle != nil, output: output != nil, diff: diff != nil, insecure: cli.Or(insecure), noHighstate: highstate != nil && !*highstate,
	})
	s := bundleSettings(d, dir, artifact, source, exclude, gitDescribe, digest, missingMinions, strict)
	s.Project, s.Deployment = project, deployment
	s.Insecure, s.NarrowToken, s.Highstate = cli.Or(insecure), narrowToken, highstate
	s.RequireMinions = or(requireMinions, d.RequireMinions)
	s.DryRun, s.ConnectTimeout, s.Timeout = cli.Or(dryRun), connectTimeout, cli.Or(timeout)
	s.Verbose, s.Quiet = cli.Or(verbose), cli.Or(quiet)
	s.Color, s.Reports = s.Text("color", color), orList(&s, "report", report, d.Reports)
	s.Servers, s.Targets, s.Rollout, s.MaxParallel = s.List("server", server), orText(&s, "targets", targets, d.list(server)), s.Text("rollout", rollout), cli.Or(maxParallel)
	s.TokenFile, s.SSLCert = s.Text("token-file", tokenFile), orText(&s, "ssl-cert", sslCert, d.Certificate)
	s.Bundle, s.Output, s.ExpectFrom = s.Text("bundle", bundle), s.Text("output", output), s.Text("expect-from", expectFrom)
	s.ExpectMinions, s.MinMinions = orList(&s, "expect-minion", expectMinion, d.ExpectMinions), cli.Or(minMinions)
	s.RegistryCert, s.RegistryPlain = s.Text("registry-cert", registryCert), cli.Or(registryPlain)
	s.Diff, s.MaxEvent = s.Text("diff", diff), s.Text("max-event", maxEvent)
	return until(ctx, cli.World.Run, s)
}

// Check asks the server whether the token is valid, and prints what it allows.
func Check(
	ctx context.Context,
	project *string, // fail unless the token is for this project
	server *string, // URL of the server (default SPIRO_URL, or https://salt:4510/)
	tokenFile *string, // file with the token (default: SPIRO_TOKEN)
	sslCert *string, // trust this certificate or CA instead of the system's
	insecure *bool, // verify nothing, and allow plain HTTP
) error {
	s := settings()
	s.Insecure = cli.Or(insecure)
	s.Project, s.Servers = s.Text("project", project), s.List("server", server)
	s.TokenFile, s.SSLCert = s.Text("token-file", tokenFile), orText(&s, "ssl-cert", sslCert, Defaults.beside(given{insecure: cli.Or(insecure)}).Certificate)
	return until(ctx, cli.World.Check, s)
}

// Init writes the states of a first project, and never over what is there.
func Init(
	ctx context.Context,
	dir *string, // project directory (default .)
) error {
	s := settings()
	s.Dir = orText(&s, "dir", dir, Defaults.Dir)
	return cli.Process().Init(ctx, s)
}

// Diff lists the differences of two bundles, with text diffs of small files.
func Diff(
	ctx context.Context,
	before string,
	after string,
	color *string, // when to colour: auto, always or never (default auto)
	registryCert *string, // trust this certificate or CA of a registry that a bundle comes from, beside the system's
	registryPlain *bool, // speak plain HTTP with that registry
) error {
	if err := cmp.Or(cli.CheckPosition(before, after), cli.CheckGiven("OLD", before), cli.CheckGiven("NEW", after)); err != nil {
		return err
	}
	s := cli.Settings{Mage: true, Diff: before, Bundle: after, RegistryPlain: cli.Or(registryPlain)}
	s.RegistryCert = s.Text("registry-cert", registryCert)
	s.Color = s.Text("color", color)
	return until(ctx, cli.World.Run, s)
}

// Token prints what the token allows, without showing it, or makes a narrower one, for example for a CI job.
func Token(
	ctx context.Context,
	tokenFile *string, // file with the token (default: SPIRO_TOKEN)
	project *string, // make a token for only these projects, separated by commas
	lifetime *time.Duration, // make a token that lasts this long, plus 5 minutes because clocks differ
	output *string, // where to write the new token: a file that only you can read, - for standard output
) error {
	s := settings()
	s.Lifetime = lifetime
	s.Projects = s.List("project", project)
	s.TokenFile, s.Output = s.Text("token-file", tokenFile), s.Text("output", output)
	return cli.Process().Token(ctx, s)
}
