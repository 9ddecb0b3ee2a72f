package bench

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/spirostack/spirodeploy/internal/dev/salt"
)

// cases are what is measured.
var cases = []struct {
	name string
	run  func(context.Context, *bench, string) error
}{
	{"bundle, streamed", withTar(mixed20k, streamed)},
	{"bundle, to a new file", withTar(mixed20k, toFile)},
	{"bundle, one file of 4 GiB", withTar(oneOf4G, streamed)},
	{"bundle, 200 files of 20 MiB", withTar(of20M, streamed)},
	{"growth, 10,000 files", alone(tiny10k)},
	{"growth, 100,000 files", alone(tiny100k)},
	{"growth, 1,000,000 files", alone(tiny1m)},
	{"deploy over TLS", onServer("discard", mixed20k, deploy)},
	{"results of 1,000 minions", onServer("results", tiny10k, results)},
	{"20 targets", onServer("fleet", tiny10k, fleet)},
	{"event to line", onServer("events", tiny10k, latency)},
	{"start", start},
	{"demo, cold caches", demo},
}

// withTar measures with a tree and its finished tar.
func withTar(t tree, run func(ctx context.Context, b *bench, name, dir, tar string) error) func(context.Context, *bench, string) error {
	return func(ctx context.Context, b *bench, name string) error {
		dir, err := b.made(t)
		if err != nil {
			return err
		}
		tar, err := b.tarOf(ctx, dir)
		if err != nil {
			return err
		}
		defer func() { _ = os.Remove(tar) }()
		return run(ctx, b, name, dir, tar)
	}
}

// streamed bundles a tree to nowhere.
func streamed(ctx context.Context, b *bench, name, dir, tar string) error {
	return b.race(ctx, name,
		contender{what: "ours", command: []string{b.ours, "--dir", dir, "--output", os.DevNull}},
		contender{what: "openssl dgst TAR", command: []string{"openssl", "dgst", "-sha256", tar}},
		contender{what: "tar | openssl dgst", needs: "openssl", command: []string{"sh", "-c", `tar cf - -C "$1" . | openssl dgst -sha256`, "sh", filepath.Join(dir, "_salt")}},
	)
}

// toFile bundles a tree to a file that is not there yet.
func toFile(ctx context.Context, b *bench, name, dir, tar string) error {
	file := filepath.Join(b.dir, "new.tar")
	gone := func() error {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		// What others have written is not to be waited for.
		return exec.CommandContext(ctx, "sync").Run()
	}
	contenders := []contender{
		{what: "ours", command: []string{b.ours, "--dir", dir, "--output", file}, before: gone},
		{what: "openssl dgst TAR", command: []string{"openssl", "dgst", "-sha256", tar}},
		{what: "tar | tee FILE | openssl dgst", needs: "openssl", before: gone, command: []string{
			"sh", "-c", `tar cf - -C "$1" . | tee "$2" | openssl dgst -sha256`, "sh", filepath.Join(dir, "_salt"), file,
		}},
	}
	if builder := b.firstParty(ctx, dir); builder != nil {
		contenders = append(contenders, contender{what: "first-party builder, in memory", command: builder})
	}
	return b.race(ctx, name, contenders...)
}

// firstParty returns the command that makes a bundle with the first-party
// client's code, or nil.
func (b *bench) firstParty(ctx context.Context, dir string) []string {
	env, err := salt.Prepare(ctx, func(line string) { fmt.Fprintln(b.Out, line) })
	if err != nil {
		fmt.Fprintln(b.Out, "without the first-party builder:", err)
		return nil
	}
	return env.Python("-c", `
import os, sys
from spirodeploy.builder import TarballBuilder
os.chdir(sys.argv[1])
with TarballBuilder() as b:
    b.add_saltdir('_salt')
    b.add_gitcommit()
`, dir)
}

// alone measures ours only, for how it grows.
func alone(t tree) func(context.Context, *bench, string) error {
	return func(ctx context.Context, b *bench, name string) error {
		dir, err := b.made(t)
		if err != nil {
			return err
		}
		return b.race(ctx, name, contender{what: "ours", command: []string{b.ours, "--dir", dir, "--output", os.DevNull}})
	}
}

// start measures what the command takes to say anything.
func start(ctx context.Context, b *bench, name string) error {
	return b.race(ctx, name, contender{what: "ours --help", command: []string{b.ours, "--help"}})
}

// demo measures the demo right after a clone: nothing is compiled, but the modules are
// there.
func demo(ctx context.Context, b *bench, name string) error {
	cache := filepath.Join(b.dir, "cold")
	return b.race(ctx, name, contender{
		what: "go tool mage demo", command: []string{"go", "tool", "mage", "demo"},
		env:    []string{"GOCACHE=" + cache, "MAGEFILE_CACHE=" + cache},
		before: func() error { return os.RemoveAll(cache) },
	})
}

// tarOf returns the finished tar of a tree.
func (b *bench) tarOf(ctx context.Context, dir string) (tar string, err error) {
	tar = filepath.Join(b.dir, "finished.tar")
	_, err = b.once(ctx, contender{command: []string{b.ours, "--dir", dir, "--output", tar}})
	return tar, err
}
