//go:build mage

// The targets test, measure, build and show what is in this repository.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/magefile/mage/mg"
	"github.com/magefile/mage/sh"

	"github.com/spirostack/spirodeploy/internal/dev/ci"
	"github.com/spirostack/spirodeploy/internal/dev/generate"

	//mage:import test
	all "github.com/spirostack/spirodeploy/magefiles/test"
)

// or returns the value of a flag, or the default if the flag is not given.
func or[T any](flag *T, otherwise T) T {
	if flag != nil {
		return *flag
	}
	return otherwise
}

// Demo bundles examples/shop and deploys it to a server in this process.
func Demo(
	ctx context.Context,
	fail *bool, // let a minion fail; mage then ends with status 1
	// deploy to a real Salt master; the first time installs Salt from PyPI
	//nolint:predeclared // mage takes the name of the flag from the parameter
	real *bool,
	serve *bool, // only run the server, to try spiro-deploy with it
) error {
	name, to := "demo", "a server in its own process"
	if or(real, false) {
		name, to = "realdemo", "a real Salt master on this machine"
	}
	fmt.Fprintf(os.Stderr, "# The demo compiles, which takes some 15 seconds the first time. Then it bundles examples/shop and deploys it to %s.\n", to)
	return program(ctx, name, fmt.Sprintf("-fail=%t", or(fail, false)), fmt.Sprintf("-serve=%t", or(serve, false)))
}

// program runs a program of internal/dev/cmd. If the program fails, mage ends with its
// status.
func program(ctx context.Context, name string, args ...string) error {
	status, err := ci.Program(ctx, os.Stdout, os.Stderr, "./internal/dev/cmd/"+name, args...)
	if status != 0 {
		os.Exit(status) // the program has said why
	}
	return err
}

// Record records the event streams of internal/dev/streams anew, from a real Salt master.
func Record(ctx context.Context) error { return program(ctx, "record") }

// Test runs the quick tests, in 3 minutes (6 the first time); test:all runs all.
func Test(ctx context.Context) error { return ci.Test(ctx, os.Stdout) }

// Lint runs the linters, and checks the configuration of releases; it builds both first, which takes minutes.
func Lint(ctx context.Context) error { return ci.Lint(ctx, os.Stdout) }

// Bench measures the command beside openssl, tar, curl and the first-party client; takes minutes and 7 GiB of disk.
func Bench(
	ctx context.Context,
	runs *int, // how often each runs (default 5)
	only *string, // only the cases whose name has this in it
	json *string, // file for the results
	parts *bool, // the Go benchmarks of the packages, instead
) error {
	if or(parts, false) {
		return ci.Bench(ctx, os.Stdout)
	}
	return program(ctx, "bench", "-runs="+strconv.Itoa(or(runs, 5)), "-only="+or(only, ""), "-json="+or(json, ""))
}

// Fuzz runs every fuzz target of the module, one after the other.
func Fuzz(
	ctx context.Context,
	each *time.Duration, // how long each target runs (default 20s)
) error {
	return ci.Fuzz(ctx, os.Stdout, ".", or(each, 20*time.Second))
}

// Soak deploys again and again, and looks for what that leaves behind.
func Soak(
	ctx context.Context,
	runs *int, // deployments in a row (default 1000)
	parallel *int, // deployments at once (default 50)
) error {
	return ci.Soak(ctx, os.Stdout, or(runs, 1000), or(parallel, 50))
}

// Pictures makes what README.md shows, docs/pictures; it needs chromium.
func Pictures() error { return sh.RunV("go", "-C", filepath.Join("tests", "pictures"), "run", ".") }

// Generate makes the Dagger module's code from main.go; it needs no engine.
func Generate(ctx context.Context) error { return generate.Run(ctx, ".") }

// Release builds, with goreleaser, what is published of the version that is checked out; takes minutes.
func Release(
	ctx context.Context,
	snapshot *bool, // of any commit, tagged or not, to look at
	publish *bool, // also drafts the release and pushes the image; needs GITHUB_TOKEN and docker
) error {
	return ci.Release(ctx, os.Stdout, or(snapshot, false), or(publish, false))
}

// CI runs what a change must pass: the quick tests, all tests, then linters.
func CI(ctx context.Context) { mg.SerialCtxDeps(ctx, Test, all.All, Lint) }
