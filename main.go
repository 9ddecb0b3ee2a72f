// Bundles a project's Salt states and deploys them through a SpiroFS server.
//
// A bundle is made of a project directory: its _salt, the commit it is at, what
// the build made and, if asked for, its source. The same directory gives the
// same bytes, here and with the command spiro-deploy. It is deployed in one
// request, whose answer tells what each Salt minion does; states that fail are
// an error of the function.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spirostack/spirodeploy/internal/dagger"
	"github.com/spirostack/spirodeploy/internal/module"
	"github.com/spirostack/spirodeploy/internal/module/step"
	"github.com/spirostack/spirodeploy/spirodeploy"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// Spirodeploy bundles and deploys; it knows the server, what to bundle, and what was built.
type Spirodeploy struct {
	// +private
	Server string
	// +private
	SSLCert *dagger.File
	// +private
	Insecure bool
	// +private
	Service *dagger.Service
	// +private
	Artifacts []string
	// +private
	Exclude []string
	// +private
	IncludeSource string
	// +private
	ProjectDir string
	// What goes below _artifacts.
	// +private
	Built *dagger.Directory
}

// Bundles and deploys through one SpiroFS server. What a team sets once is here: what the functions are given is added to it.
func New(
	// URL of the SpiroFS server.
	// +default="https://salt:4510/"
	server string,
	// Certificate in PEM, of the server or of its CA, to trust instead of the usual ones.
	// +optional
	sslCert *dagger.File,
	// Trust any certificate, and allow plain HTTP.
	// +optional
	insecure bool,
	// Service to connect to. The server's URL still says which name is asked for, and has to be in its certificate.
	// +optional
	service *dagger.Service,
	// Files and directories of each project directory to put below _artifacts, as PATH or NAME=PATH.
	// +optional
	artifacts []string,
	// Patterns of what to leave out of each bundle, such as "*.pyc" or "_source/web/node_modules".
	// +optional
	exclude []string,
	// What to put below _source of each bundle that is not told otherwise: filesystem (or fs) for all files, git for those of the commit; nothing by default.
	// +optional
	includeSource string,
	// Where in the workspace the project directory is, for the check deployable.
	// +default="."
	projectDir string,
) *Spirodeploy {
	return &Spirodeploy{
		Server: server, SSLCert: sslCert, Insecure: insecure, Service: service,
		Artifacts: artifacts, Exclude: exclude, IncludeSource: includeSource, ProjectDir: projectDir,
	}
}

// Missing says what it means that minions that were expected are not reached.
type Missing string

// What a lack of minions means.
const (
	// The deployment fails.
	MissingFail Missing = "fail"
	// There is a warning.
	MissingWarn Missing = "warn"
)

// WithArtifact adds a file that another step built to the bundles to come.
func (m *Spirodeploy) WithArtifact(
	// Where it goes below _artifacts, a relative path.
	name string,
	// The file; it stays executable if it is.
	file *dagger.File,
) (*Spirodeploy, error) {
	if err := module.CheckArtifact(name); err != nil {
		return nil, err
	}
	return m.with(m.built().WithFile(name, file)), nil
}

// WithArtifacts adds all that is in a directory to the _artifacts of the bundles to come.
func (m *Spirodeploy) WithArtifacts(
	// The directory. What was added under the same name before is replaced.
	directory *dagger.Directory,
) *Spirodeploy {
	return m.with(m.built().WithDirectory("/", directory))
}

func (m *Spirodeploy) built() *dagger.Directory {
	if m.Built == nil {
		return dag.Directory()
	}
	return m.Built
}

func (m *Spirodeploy) with(built *dagger.Directory) *Spirodeploy {
	c := *m
	c.Built = built
	return &c
}

// Bundle makes a bundle, an uncompressed tar: _salt of the project directory, its commit, artifacts and source. The same directory gives the same bytes. Warnings are told in each session, also if the engine has the bundle already.
//
// +cache="session"
func (m *Spirodeploy) Bundle(
	ctx context.Context,
	// The project directory, with the .git in it if the bundle is to name its commit.
	// +ignore=["*/**/.git", ".git/hooks", ".git/lfs", ".git/logs", ".git/modules", ".git/worktrees"]
	dir *dagger.Directory,
	// Files and directories in it to put below _artifacts, as PATH or NAME=PATH, beside those of the module.
	// +optional
	artifacts []string,
	// What to put below _source: filesystem (or fs) for all files, git for those of the commit; by default what the module says.
	// +optional
	includeSource string,
	// Patterns of what to leave out, such as "*.pyc" or "_source/web/node_modules", beside those of the module.
	// +optional
	exclude []string,
) (*dagger.File, error) {
	container, err := m.bundle(ctx, dir, step.Options{
		Do: step.Bundle, Artifacts: slices.Concat(m.Artifacts, artifacts),
		Source: cmp.Or(includeSource, m.IncludeSource), Exclude: slices.Concat(m.Exclude, exclude),
	})
	if err != nil {
		return nil, err
	}
	return container.File("/" + step.OutputFile), nil
}

// Deployable says whether the states of the workspace can be deployed: its project directory can be bundled, and its top file is right in every deployment and names SLS that are there. It tells all problems at once, and asks no server.
//
// +check
func (m *Spirodeploy) Deployable(
	ctx context.Context,
	// The workspace that the project is in; by default the caller's.
	workspace *dagger.Workspace,
) error {
	dir := workspace.Directory(m.ProjectDir, dagger.WorkspaceDirectoryOpts{Exclude: module.NotUploaded})
	_, err := m.bundle(ctx, dir, step.Options{Do: step.Check, Artifacts: m.Artifacts, Source: m.IncludeSource, Exclude: m.Exclude})
	return err
}

// bundle runs a step on a project directory, and tells its warnings.
func (m *Spirodeploy) bundle(ctx context.Context, dir *dagger.Directory, opts step.Options) (*dagger.Container, error) {
	usesGit, err := opts.UsesGit()
	if err != nil {
		return nil, err
	}
	container, err := stepContainer(opts)
	if err != nil {
		return nil, err
	}
	repository, err := dir.Exists(ctx, ".git", dagger.DirectoryExistsOpts{ExpectedType: dagger.ExistsTypeDirectoryType})
	switch {
	case err != nil:
		return nil, err
	case repository:
		// The step does not need it, and is cached where nothing else changed.
		container, err = withGit(ctx, container, dir, usesGit)
		dir = dir.WithoutDirectory(".git")
	default:
		err = withoutGit(ctx, dir, usesGit)
	}
	if err != nil {
		return nil, err
	}
	container = container.WithMountedDirectory("/"+step.ProjectDir, dir)
	if m.Built != nil {
		container = container.WithMountedDirectory("/"+step.BuiltDir, m.Built)
	}
	container, _, err = runStep(ctx, container)
	if err != nil {
		return nil, err
	}
	warnings, err := container.File("/" + step.WarningsFile).Contents(ctx)
	fmt.Print(warnings)
	return container, err
}

// withoutGit tells what it means that there is no repository in dir.
func withoutGit(ctx context.Context, dir *dagger.Directory, usesGit bool) error {
	if usesGit {
		return errors.New("include source git: the directory has no .git directory with the repository in it")
	}
	// That of a worktree or submodule points to a place that is not here.
	if pointer, err := dir.Exists(ctx, ".git"); err != nil || !pointer {
		return err
	}
	fmt.Println("warning: .git is a file, of a worktree or submodule: the repository is elsewhere, so the bundle will have no .gitcommit")
	return nil
}

// Deploy deploys a bundle and returns a summary, printing what happens as it happens. It fails, with the summary, unless everything that was asked for happened. Each call deploys.
//
// +cache="never"
func (m *Spirodeploy) Deploy(
	ctx context.Context,
	// The bundle, made by the function bundle or elsewhere.
	bundle *dagger.File,
	// The project.
	project string,
	// Its deployment, such as prod: the saltenv is PROJECT/DEPLOYMENT.
	deployment string,
	// A token of the server for the project.
	token *dagger.Secret,
	// Let the minions concerned apply the states, and wait for them.
	// +default=true
	highstate bool,
	// How long it may take, such as 45m or 1h30m. By default there is no limit; behind a service, the server may then say nothing for 15 minutes at most.
	// +optional
	timeout string,
	// Minions that have to be reached, beside those that the top file names literally. With several servers, it is enough if one of them has a minion.
	// +optional
	expectMinions []string,
	// How many minions have to be reached, at least.
	// +optional
	minMinions int,
	// What it means that minions that were expected are not reached.
	// +default="fail"
	missingMinions Missing,
) (string, error) {
	outcome, err := m.deploy(ctx, bundle, token, timeout, spirodeploy.Options{
		Project: project, Deployment: deployment, NoHighstate: !highstate,
		ExpectMinions: expectMinions, MinMinions: minMinions, MissingMinions: report.Missing(missingMinions),
	})
	if err != nil {
		return "", err
	}
	return outcome.Summary, outcome.Err()
}

// DeployReport deploys a bundle as deploy does, and returns a report whatever came of it. End a call with assert, exit-status or files: without one of them, dagger call prints an id and exits with 0 also if minions failed. It fails only where there was nothing to try with: a file, service or token that cannot be had. In one session, the same call deploys once, however often its report is read.
//
// +cache="session"
func (m *Spirodeploy) DeployReport(
	ctx context.Context,
	// The bundle, made by the function bundle or elsewhere.
	bundle *dagger.File,
	// The project.
	project string,
	// Its deployment, such as prod: the saltenv is PROJECT/DEPLOYMENT.
	deployment string,
	// A token of the server for the project.
	token *dagger.Secret,
	// Let the minions concerned apply the states, and wait for them.
	// +default=true
	highstate bool,
	// How long it may take, such as 45m or 1h30m. By default there is no limit; behind a service, the server may then say nothing for 15 minutes at most.
	// +optional
	timeout string,
	// Minions that have to be reached, beside those that the top file names literally. With several servers, it is enough if one of them has a minion.
	// +optional
	expectMinions []string,
	// How many minions have to be reached, at least.
	// +optional
	minMinions int,
	// What it means that minions that were expected are not reached.
	// +default="fail"
	missingMinions Missing,
) (*Report, error) {
	outcome, err := m.deploy(ctx, bundle, token, timeout, spirodeploy.Options{
		Project: project, Deployment: deployment, NoHighstate: !highstate,
		ExpectMinions: expectMinions, MinMinions: minMinions, MissingMinions: report.Missing(missingMinions),
	})
	if err != nil {
		return nil, err
	}
	return newReport(outcome), nil
}

// Rollout deploys a bundle to several servers, which take the same token, and returns a report as deployReport does: a part for each server, and one verdict. It cannot be used with a service, which leads to one server.
//
// +cache="session"
func (m *Spirodeploy) Rollout(
	ctx context.Context,
	// The bundle, made by the function bundle or elsewhere.
	bundle *dagger.File,
	// URLs of the servers, in place of the module's.
	servers []string,
	// The project.
	project string,
	// Its deployment, such as prod: the saltenv is PROJECT/DEPLOYMENT.
	deployment string,
	// A token of the servers for the project.
	token *dagger.Secret,
	// Let the minions concerned apply the states, and wait for them.
	// +default=true
	highstate bool,
	// Deploy to one server after the other, and to none after the first that fails.
	// +optional
	serial bool,
	// How many servers at once, at most; 0 for all.
	// +optional
	maxParallel int,
	// How long all of it may take, such as 45m or 1h30m; by default there is no limit.
	// +optional
	timeout string,
	// Minions that have to be reached, beside those that the top file names literally. With several servers, it is enough if one of them has a minion.
	// +optional
	expectMinions []string,
	// How many minions have to be reached on each server, at least.
	// +optional
	minMinions int,
	// What it means that minions that were expected are not reached.
	// +default="fail"
	missingMinions Missing,
) (*Report, error) {
	targets, err := module.Targets(servers, m.Service != nil)
	if err != nil {
		return nil, err
	}
	outcome, err := m.deploy(ctx, bundle, token, timeout, spirodeploy.Options{
		Project: project, Deployment: deployment, NoHighstate: !highstate,
		Targets: targets, Serial: serial, MaxParallel: maxParallel,
		ExpectMinions: expectMinions, MinMinions: minMinions, MissingMinions: report.Missing(missingMinions),
	})
	if err != nil {
		return nil, err
	}
	return newReport(outcome), nil
}

func (m *Spirodeploy) deploy(ctx context.Context, bundle *dagger.File, token *dagger.Secret, timeout string, opts spirodeploy.Options) (*module.Outcome, error) {
	const file = "bundle.tar"
	limit, silence, err := module.Limits(timeout, m.Service != nil)
	if err != nil {
		return nil, err
	}
	if _, err := bundle.Export(ctx, file); err != nil {
		return nil, err
	}
	server, err := m.client(ctx, token)
	if err != nil {
		return nil, err
	}
	server.Silence = silence
	opts.File, opts.Server, opts.Timeout = file, server, limit
	return module.Deploy(ctx, opts, Tracer(), os.Stdout)
}

// client returns how to reach the server; the token is read last.
func (m *Spirodeploy) client(ctx context.Context, token *dagger.Secret) (opts client.Options, err error) {
	opts = client.Options{Server: m.Server, Insecure: m.Insecure}
	if m.SSLCert != nil {
		certificate, err := m.SSLCert.Contents(ctx)
		if err != nil {
			return opts, err
		}
		opts.Certificate = []byte(certificate)
	}
	if m.Service != nil {
		if opts.Address, err = m.address(ctx); err != nil {
			return opts, err
		}
	}
	plaintext, err := token.Plaintext(ctx)
	if err != nil {
		return opts, err
	}
	opts.Token, err = module.ParseToken(plaintext)
	return opts, err
}

// address starts the service and returns its host:port.
func (m *Spirodeploy) address(ctx context.Context) (string, error) {
	service, err := m.Service.Start(ctx)
	if err != nil {
		return "", err
	}
	ports, err := service.Ports(ctx)
	if err != nil {
		return "", err
	}
	exposed := make([]int, len(ports))
	for i := range ports {
		if exposed[i], err = ports[i].Port(ctx); err != nil {
			return "", err
		}
	}
	return service.Endpoint(ctx, dagger.ServiceEndpointOpts{Port: module.Port(m.Server, exposed)})
}

// Check asks the server whether it takes a token, and returns what it said.
//
// +cache="never"
func (m *Spirodeploy) Check(
	ctx context.Context,
	// The token.
	token *dagger.Secret,
	// A project that it is meant for.
	// +optional
	project string,
) (string, error) {
	server, err := m.client(ctx, token)
	if err != nil {
		return "", err
	}
	return module.Check(ctx, server, project)
}

// Digest returns the digest of a bundle: "sha256:" and 64 hexadecimal digits.
func (m *Spirodeploy) Digest(
	ctx context.Context,
	// The bundle.
	bundle *dagger.File,
) (string, error) {
	return read(ctx, step.Digest, bundle, nil)
}

// Manifest returns what is in a bundle, with a line for each entry: its size, an x where it is executable, and its name.
func (m *Spirodeploy) Manifest(
	ctx context.Context,
	// The bundle.
	bundle *dagger.File,
) (string, error) {
	return read(ctx, step.Manifest, bundle, nil)
}

// Diff returns how two bundles differ, with a line for each entry: + where it was added, - where it was removed, ~ where it was changed. It is empty where they hold the same.
func (m *Spirodeploy) Diff(
	ctx context.Context,
	// The bundle to compare with.
	old *dagger.File,
	// The bundle to compare.
	new *dagger.File, //nolint:predeclared // the name that users type
) (string, error) {
	return read(ctx, step.Diff, new, old)
}

// read runs a step that reads a bundle, or two.
func read(ctx context.Context, kind step.Kind, bundle, old *dagger.File) (string, error) {
	container, err := stepContainer(step.Options{Do: kind})
	if err != nil {
		return "", err
	}
	container = container.WithMountedFile("/"+step.InputFile, bundle)
	if old != nil {
		container = container.WithMountedFile("/"+step.OldFile, old)
	}
	_, printed, err := runStep(ctx, container)
	return printed, err
}
