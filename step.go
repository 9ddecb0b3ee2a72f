package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	_ "github.com/spirostack/spirodeploy/internal/boot" // does a step in place of what follows
	"github.com/spirostack/spirodeploy/internal/dagger"
	"github.com/spirostack/spirodeploy/internal/module/step"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
)

// stepContainer returns a container that holds this executable alone, ready to
// do a step.
func stepContainer(opts step.Options) (*dagger.Container, error) {
	program, err := executable()
	if err != nil {
		return nil, err
	}
	return dag.Container().
		WithFile("/"+step.Program, program, dagger.ContainerWithFileOpts{Permissions: 0o755}).
		WithEnvVariable(step.Env, opts.JSON()), nil
}

// runStep runs a step, and returns its container and what it printed. The error
// says what the step said.
func runStep(ctx context.Context, container *dagger.Container) (*dagger.Container, string, error) {
	ran := container.WithExec([]string{"/" + step.Program})
	printed, err := ran.Stdout(ctx)
	var failed *dagger.ExecError
	if errors.As(err, &failed) && failed.Stderr != "" {
		// Not wrapped: the engine's words would be shown in place of these.
		return nil, "", errors.New(failed.Stderr)
	}
	return ran, strings.TrimSuffix(printed, "\n"), err
}

// executable returns this executable as a file of the engine.
func executable() (_ *dagger.File, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("copy the module's executable: %w", err)
		}
	}()
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	in, err := os.Open(self)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	// Files of the working directory can be given to the engine, others cannot.
	out, err := os.OpenFile(step.Program, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o755)
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(out, in)
	if err := errors.Join(err, out.Close()); err != nil {
		return nil, err
	}
	return dag.CurrentModule().WorkdirFile(step.Program), nil
}

// withGit gives a bundling step what git says of the repository in dir: a step
// has no git, this function's container has. A repository on which git fails
// is worth a warning, unless its files are asked for.
func withGit(ctx context.Context, container *dagger.Container, dir *dagger.Directory, archive bool) (*dagger.Container, error) {
	const packed, repository = "git.tar", "repository"
	packing, err := stepContainer(step.Options{Do: step.Pack})
	if err != nil {
		return nil, err
	}
	packing, _, err = runStep(ctx, packing.WithMountedDirectory("/"+step.RepositoryDir, dir.Directory(".git")))
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
