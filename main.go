// Bundles a project's Salt states and deploys them through a SpiroFS server.
//
// A bundle contains the project's _salt directory, its commit, what the build made
// and, on request, the source. The same directory always gives the same bytes, also
// with the command spiro-deploy. The deployment is one request, and its answer tells
// what each Salt minion does. The function fails if a state fails.
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

// Spirodeploy bundles and deploys. It holds the server, what to bundle, and what was built.
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
	// The content of _artifacts from other steps.
	// +private
	Built *dagger.Directory
}

// Bundles and deploys through one SpiroFS server. These arguments are what a team sets once; those of the functions are added to them.
func New(
	// URL of the SpiroFS server.
	// +default="https://salt:4510/"
	server string,
	// Certificate of the server or its CA, in PEM, to trust instead of the usual ones.
	// +optional
	sslCert *dagger.File,
	// Trust any certificate, and allow plain HTTP.
	// +optional
	insecure bool,
	// Service to connect to. Requests and the certificate check still use the name in the server's URL.
	// +optional
	service *dagger.Service,
	// Files and directories in each project directory to put below _artifacts, as PATH or NAME=PATH.
	// +optional
	artifacts []string,
	// Patterns of files to leave out of each bundle, such as "*.pyc" or "_source/web/node_modules".
	// +optional
	exclude []string,
	// Files to put below _source of each bundle by default: filesystem (or fs) for all files, git for those of the commit; none if not set.
	// +optional
	includeSource string,
	// The project directory in the workspace, for the check deployable.
	// +default="."
	projectDir string,
) *Spirodeploy {
	return &Spirodeploy{
		Server: server, SSLCert: sslCert, Insecure: insecure, Service: service,
		Artifacts: artifacts, Exclude: exclude, IncludeSource: includeSource, ProjectDir: projectDir,
	}
}

// Missing says what happens if expected minions are not reached.
type Missing string

// What happens if expected minions are not reached.
const (
	// The deployment fails.
	MissingFail Missing = "fail"
	// The deployment gets a warning.
	MissingWarn Missing = "warn"
)

// WithArtifact adds a file that another step built to later bundles.
func (m *Spirodeploy) WithArtifact(
	// Its path below _artifacts.
	name string,
	// The file. It stays executable if it is.
	file *dagger.File,
) (*Spirodeploy, error) {
	if err := module.CheckArtifact(name); err != nil {
		return nil, err
	}
	return m.with(m.built().WithFile(name, file)), nil
}

// WithArtifacts adds the content of a directory to _artifacts in later bundles.
func (m *Spirodeploy) WithArtifacts(
	// The directory. Its files replace earlier ones of the same name.
	directory *dagger.Directory,
) *Spirodeploy {
	return m.with(m.built().WithDirectory("/", directory))
}

// built returns the directory with what was built.
func (m *Spirodeploy) built() *dagger.Directory {
	if m.Built == nil {
		return dag.Directory()
	}
	return m.Built
}

// with returns a copy that has another directory with what was built.
func (m *Spirodeploy) with(built *dagger.Directory) *Spirodeploy {
	c := *m
	c.Built = built
	return &c
}

// Bundle makes a bundle: an uncompressed tar with the project's _salt, its commit, artifacts and source. The same directory always gives the same bytes. It prints warnings in each session, even if the engine has the bundle in its cache.
//
// +cache="session"
func (m *Spirodeploy) Bundle(
	ctx context.Context,
	// The project directory. The bundle names its commit if it contains .git.
	// +ignore=["*/**/.git", ".git/hooks", ".git/lfs", ".git/logs", ".git/modules", ".git/worktrees"]
	dir *dagger.Directory,
	// Files and directories in it to put below _artifacts, as PATH or NAME=PATH, in addition to those of the module.
	// +optional
	artifacts []string,
	// Files to put below _source: filesystem (or fs) for all files, git for those of the commit; by default as the module says.
	// +optional
	includeSource string,
	// Patterns of files to leave out, such as "*.pyc" or "_source/web/node_modules", in addition to those of the module.
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

// Deployable checks that the states of the workspace can be deployed: that the project directory can be bundled, that the top file is right in every deployment, and that it names only SLS that exist. It reports all problems at once and needs no server.
//
// +check
func (m *Spirodeploy) Deployable(
	ctx context.Context,
	// The workspace with the project; by default the caller's.
	workspace *dagger.Workspace,
) error {
	dir := workspace.Directory(m.ProjectDir, dagger.WorkspaceDirectoryOpts{Exclude: module.NotUploaded})
	_, err := m.bundle(ctx, dir, step.Options{Do: step.Check, Artifacts: m.Artifacts, Source: m.IncludeSource, Exclude: m.Exclude})
	return err
}

// bundle runs a step on a project directory and prints its warnings.
func (m *Spirodeploy) bundle(ctx context.Context, dir *dagger.Directory, opts step.Options) (*dagger.Container, error) {
	usesGit, err := opts.UsesGit()
	if err != nil {
		return nil, err
	}
	container := dag.Container()
	repository, err := dir.Exists(ctx, ".git", dagger.DirectoryExistsOpts{ExpectedType: dagger.ExistsTypeDirectoryType})
	switch {
	case err != nil:
		return nil, err
	case repository:
		// The step does not need .git. Without it, the engine can use its cache if only .git changed.
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
	container, _, err = runStep(ctx, opts, container)
	if err != nil {
		return nil, err
	}
	warnings, err := container.File("/" + step.WarningsFile).Contents(ctx)
	fmt.Print(warnings)
	return container, err
}

// withoutGit warns if dir has no repository because it is a worktree or submodule. It fails if the repository is needed.
func withoutGit(ctx context.Context, dir *dagger.Directory, usesGit bool) error {
	if usesGit {
		return errors.New("include source git: the directory has no .git directory with the repository in it")
	}
	// The .git of a worktree or submodule is a file that points elsewhere.
	if pointer, err := dir.Exists(ctx, ".git"); err != nil || !pointer {
		return err
	}
	fmt.Println("warning: .git is a file, of a worktree or submodule: the repository is elsewhere, so the bundle will have no .gitcommit")
	return nil
}

// Deploy deploys a bundle, prints what happens, and returns a summary. It fails with the summary unless everything that was asked for happened. Each call deploys.
//
// +cache="never"
func (m *Spirodeploy) Deploy(
	ctx context.Context,
	// The bundle, from the function bundle or elsewhere.
	bundle *dagger.File,
	// The project.
	project string,
	// The deployment, such as prod. The saltenv is PROJECT/DEPLOYMENT.
	deployment string,
	// A token of the server for the project.
	token *dagger.Secret,
	// Let the minions concerned apply the states, and wait for them.
	// +default=true
	highstate bool,
	// Time limit, such as 45m or 1h30m; by default none. Behind a service without a time limit, the server may be silent for at most 15 minutes.
	// +optional
	timeout string,
	// Minions that must be reached, in addition to those that the top file names literally. With several servers, one of them must reach the minion.
	// +optional
	expectMinions []string,
	// How many minions must be reached at least.
	// +optional
	minMinions int,
	// What happens if expected minions are not reached.
	// +default="fail"
	missingMinions Missing,
) (string, error) {
	deployed, err := m.DeployReport(ctx, bundle, project, deployment, token, highstate, timeout, expectMinions, minMinions, missingMinions)
	if err != nil {
		return "", err
	}
	return deployed.Assert()
}

// DeployReport deploys a bundle like deploy, and returns a report even if the deployment fails. End a call with assert, exit-status or files: otherwise dagger call prints an id and exits with 0 even if minions failed. It fails only if it cannot start: if a file, service or token is not available. In one session, the same call deploys once, however often its report is read.
//
// +cache="session"
func (m *Spirodeploy) DeployReport(
	ctx context.Context,
	// The bundle, from the function bundle or elsewhere.
	bundle *dagger.File,
	// The project.
	project string,
	// The deployment, such as prod. The saltenv is PROJECT/DEPLOYMENT.
	deployment string,
	// A token of the server for the project.
	token *dagger.Secret,
	// Let the minions concerned apply the states, and wait for them.
	// +default=true
	highstate bool,
	// Time limit, such as 45m or 1h30m; by default none. Behind a service without a time limit, the server may be silent for at most 15 minutes.
	// +optional
	timeout string,
	// Minions that must be reached, in addition to those that the top file names literally. With several servers, one of them must reach the minion.
	// +optional
	expectMinions []string,
	// How many minions must be reached at least.
	// +optional
	minMinions int,
	// What happens if expected minions are not reached.
	// +default="fail"
	missingMinions Missing,
) (*Report, error) {
	return m.deploy(ctx, bundle, token, timeout, spirodeploy.Options{
		Project: project, Deployment: deployment, NoHighstate: !highstate,
		ExpectMinions: expectMinions, MinMinions: minMinions, MissingMinions: report.Missing(missingMinions),
	})
}

// Rollout deploys a bundle to several servers that accept the same token, and returns a report like deployReport, with a part for each server and one verdict. It does not work with a service, which leads to only one server.
//
// +cache="session"
func (m *Spirodeploy) Rollout(
	ctx context.Context,
	// The bundle, from the function bundle or elsewhere.
	bundle *dagger.File,
	// URLs of the servers, instead of the module's.
	servers []string,
	// The project.
	project string,
	// The deployment, such as prod. The saltenv is PROJECT/DEPLOYMENT.
	deployment string,
	// A token of the servers for the project.
	token *dagger.Secret,
	// Let the minions concerned apply the states, and wait for them.
	// +default=true
	highstate bool,
	// Deploy to one server after the other, and stop after the first that fails.
	// +optional
	serial bool,
	// How many servers to deploy to at once; 0 for all.
	// +optional
	maxParallel int,
	// Time limit for all servers together, such as 45m or 1h30m; by default none.
	// +optional
	timeout string,
	// Minions that must be reached, in addition to those that the top file names literally. With several servers, one of them must reach the minion.
	// +optional
	expectMinions []string,
	// How many minions must be reached at least, on each server.
	// +optional
	minMinions int,
	// What happens if expected minions are not reached.
	// +default="fail"
	missingMinions Missing,
) (*Report, error) {
	if err := module.CheckServers(servers, m.Service != nil); err != nil {
		return nil, err
	}
	return m.deploy(ctx, bundle, token, timeout, spirodeploy.Options{
		Project: project, Deployment: deployment, NoHighstate: !highstate,
		Serial: serial, MaxParallel: maxParallel,
		ExpectMinions: expectMinions, MinMinions: minMinions, MissingMinions: report.Missing(missingMinions),
	}, servers...)
}

// deploy deploys a bundle with the options, completed from the module, to its server or to others.
func (m *Spirodeploy) deploy(ctx context.Context, bundle *dagger.File, token *dagger.Secret, timeout string, opts spirodeploy.Options, servers ...string) (*Report, error) {
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
	outcome, err := module.Deploy(ctx, opts, servers, Tracer(), os.Stdout)
	return (*Report)(outcome), err
}

// client returns the options to reach the server. It reads the token last.
func (m *Spirodeploy) client(ctx context.Context, token *dagger.Secret) (opts client.Options, err error) {
	opts = client.Options{Server: m.Server, Insecure: m.Insecure}
	if opts.Certificate, err = contents(ctx, m.SSLCert); err != nil {
		return opts, err
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

// contents returns the contents of a file, nil for none.
func contents(ctx context.Context, file *dagger.File) ([]byte, error) {
	if file == nil {
		return nil, nil
	}
	text, err := file.Contents(ctx)
	return []byte(text), err
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

// Check asks the server whether a token is valid, and returns what the token allows.
//
// +cache="never"
func (m *Spirodeploy) Check(
	ctx context.Context,
	// The token.
	token *dagger.Secret,
	// A project that the token must be for.
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

// Manifest lists the entries of a bundle, with a line for each: its size, an x if it is executable, and its name.
func (m *Spirodeploy) Manifest(
	ctx context.Context,
	// The bundle.
	bundle *dagger.File,
) (string, error) {
	return read(ctx, step.Manifest, bundle, nil)
}

// Diff lists the differences of two bundles, with a line for each entry: + if it was added, - if it was removed, ~ if it was changed. It returns nothing if the contents are the same.
func (m *Spirodeploy) Diff(
	ctx context.Context,
	// The bundle to compare with.
	old *dagger.File,
	// The bundle to compare.
	new *dagger.File, //nolint:predeclared // the name that users type
) (string, error) {
	return read(ctx, step.Diff, new, old)
}

// read runs a step that reads one or two bundles, and returns what it prints.
func read(ctx context.Context, kind step.Kind, bundle, old *dagger.File) (string, error) {
	container := dag.Container().WithMountedFile("/"+step.InputFile, bundle)
	if old != nil {
		container = container.WithMountedFile("/"+step.OldFile, old)
	}
	_, printed, err := runStep(ctx, step.Options{Do: kind}, container)
	return printed, err
}
