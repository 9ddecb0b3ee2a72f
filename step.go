package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	_ "github.com/spirostack/spirodeploy/internal/boot" // runs a step instead of the module in a step's container
	"github.com/spirostack/spirodeploy/internal/dagger"
	"github.com/spirostack/spirodeploy/internal/module/step"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
)

// runStep runs a step in a container with its input and only this executable. It returns
// the container and its output. If the step fails, the error is its message.
func runStep(ctx context.Context, opts step.Options, input *dagger.Container) (*dagger.Container, string, error) {
	program, err := executable()
	if err != nil {
		return nil, "", err
	}
	ran := input.
		WithFile("/"+step.Program, program, dagger.ContainerWithFileOpts{Permissions: 0o755}).
		WithEnvVariable(step.Env, opts.JSON()).
		WithExec([]string{"/" + step.Program})
	printed, err := ran.Stdout(ctx)
	if failed, ok := errors.AsType[*dagger.ExecError](err); ok && failed.Stderr != "" {
		// Not wrapped: the engine would show its own error instead.
		return nil, "", errors.New(failed.Stderr)
	}
	return ran, strings.TrimSuffix(printed, "\n"), err
}

// executable returns this executable as a file of the engine.
func executable() (*dagger.File, error) {
	if err := copySelf(step.Program); err != nil {
		return nil, fmt.Errorf("copy the module's executable: %w", err)
	}
	return dag.CurrentModule().WorkdirFile(step.Program), nil
}

// copySelf copies this executable to the working directory: the engine can only get files of
// that.
func copySelf(name string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	in, err := os.Open(self)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// withGit gives a bundling step the commit of the repository in dir, and its files if
// archive is true. It runs git here, because a step has none. It only warns if git fails,
// unless the files are needed.
func withGit(ctx context.Context, container *dagger.Container, dir *dagger.Directory, archive bool) (*dagger.Container, error) {
	const packed, repository = "git.tar", "repository"
	packing, _, err := runStep(ctx, step.Options{Do: step.Pack}, dag.Container().WithMountedDirectory("/"+step.RepositoryDir, dir.Directory(".git")))
	if err != nil {
		return nil, err
	}
	if _, err := packing.File("/"+step.OutputFile).Export(ctx, packed); err != nil {
		return nil, err
	}
	if err := step.Unpack(packed, repository); err != nil {
		return nil, err
	}
	commit, warnings, err := step.Commit(ctx, repository)
	if err != nil {
		return nil, err
	}
	warn(warnings)
	if commit != "" {
		container = container.WithNewFile("/"+step.CommitFile, commit)
	}
	if !archive {
		return container, nil
	}
	warnings, err = step.Archive(ctx, repository, step.ArchiveFile)
	if err != nil {
		return nil, err
	}
	warn(warnings)
	return container.WithMountedFile("/"+step.ArchiveFile, dag.CurrentModule().WorkdirFile(step.ArchiveFile)), nil
}

func warn(warnings []bundle.Warning) {
	for _, w := range warnings {
		fmt.Println("warning: " + w.String())
	}
}
