package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spirostack/spirodeploy/internal/dev/salt"
)

// benchCase measures something. It says what it needs for that.
type benchCase struct {
	name  string
	run   func(context.Context, stage) error
	tree  tree                              // the project; default none
	tar   bool                              // also the finished tar of the project
	serve func(file string) (served, error) // starts the server; default none
}

// stage is a case that was set up.
type stage struct {
	*bench
	served

	name     string // of the case
	dir, tar string // the project, and its finished tar
}

var cases = []benchCase{
	{name: "bundle, streamed", run: streamed, tree: mixed20k, tar: true},
	{name: "bundle, to a new file", run: toFile, tree: mixed20k, tar: true},
	{name: "bundle, one file of 4 GiB", run: streamed, tree: oneOf4G, tar: true},
	{name: "bundle, 200 files of 20 MiB", run: streamed, tree: of20M, tar: true},
	{name: "growth, 10,000 files", run: alone, tree: tiny10k},
	{name: "growth, 100,000 files", run: alone, tree: tiny100k},
	{name: "growth, 1,000,000 files", run: alone, tree: tiny1m},
	{name: "deploy over TLS", run: deploy, tree: mixed20k, tar: true, serve: discarding},
	{name: "results of 1,000 minions", run: results, tree: tiny10k, serve: sendingResults},
	{name: "20 targets", run: fleet, tree: tiny10k, serve: fleetOf20},
	{name: "event to line", run: latency, tree: tiny10k, serve: sendingTicks},
	{name: "start", run: start},
	{name: "demo, cold caches", run: demo},
}

// bundling is the command that bundles the project to a file.
func (s stage) bundling(file string) []string {
	return []string{s.ours, "--dir", s.dir, "--output", file}
}

// deploying is the command that deploys the project to a server with plain HTTP.
func (s stage) deploying(more ...string) contender {
	return contender{what: "ours", env: s.env(), command: append([]string{s.ours, "--dir", s.dir, "--insecure", "shop", "prod"}, more...)}
}

// streamed bundles a tree to nowhere.
func streamed(ctx context.Context, s stage) error {
	return s.race(ctx,
		contender{what: "ours", command: s.bundling(os.DevNull)},
		contender{what: "openssl dgst TAR", command: []string{"openssl", "dgst", "-sha256", s.tar}},
		contender{what: "tar | openssl dgst", needs: "openssl", command: []string{"sh", "-c", `tar cf - -C "$1" . | openssl dgst -sha256`, "sh", filepath.Join(s.dir, "_salt")}},
	)
}

// toFile bundles a tree to a file that is not there yet.
func toFile(ctx context.Context, s stage) error {
	file := filepath.Join(s.bench.dir, "new.tar")
	gone := gone(ctx, file)
	contenders := []contender{
		{what: "ours", command: s.bundling(file), before: gone},
		{what: "openssl dgst TAR", command: []string{"openssl", "dgst", "-sha256", s.tar}},
		{what: "tar | tee FILE | openssl dgst", needs: "openssl", before: gone, command: []string{
			"sh", "-c", `tar cf - -C "$1" . | tee "$2" | openssl dgst -sha256`, "sh", filepath.Join(s.dir, "_salt"), file,
		}},
	}
	if builder := s.firstParty(ctx, s.dir); builder != nil {
		contenders = append(contenders, contender{what: "first-party builder, in memory", command: builder})
	}
	return s.race(ctx, contenders...)
}

// gone returns what makes a file a new one for the next run. Without it, the run would wait for
// what others have written, and ext4 for the file that replaces another one.
func gone(ctx context.Context, file string) func() error {
	return func() error {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return exec.CommandContext(ctx, "sync").Run()
	}
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

// alone measures only ours, to show how it grows.
func alone(ctx context.Context, s stage) error {
	return s.race(ctx, contender{what: "ours", command: s.bundling(os.DevNull)})
}

// start measures how long the command takes to say anything.
func start(ctx context.Context, s stage) error {
	return s.race(ctx, contender{what: "ours --help", command: []string{s.ours, "--help"}})
}

// demo measures the demo right after a clone: nothing is compiled, but the modules are
// there.
func demo(ctx context.Context, s stage) error {
	cache := filepath.Join(s.bench.dir, "cold")
	return s.race(ctx, contender{
		what: "go tool mage demo", command: []string{"go", "tool", "mage", "demo"},
		env:    []string{"GOCACHE=" + cache, "MAGEFILE_CACHE=" + cache},
		before: func() error { return os.RemoveAll(cache) },
	})
}

// deploy sends a tree to a server that forgets it.
func deploy(ctx context.Context, s stage) error {
	return s.race(ctx,
		contender{what: "ours, bundling included", env: s.env(), command: []string{s.ours, "--dir", s.dir, "--ssl-cert", s.file, "shop", "prod"}},
		contender{what: "curl -F, the ready tar", needs: "curl", env: s.env(), command: []string{
			"sh", "-c", `curl -sSf --cacert "$1" -H "Authorization: Bearer $SPIRO_TOKEN" -F project=shop -F deployment=prod -F "bundle=@$2" "$SPIRO_URL"`, "sh", s.file, s.tar,
		}},
	)
}

// fleet deploys to 20 servers in one run, beside a run for the slowest alone.
func fleet(ctx context.Context, s stage) error {
	all, slowest := s.deploying("--targets", s.file), s.deploying()
	all.what, slowest.what = "ours, 20 targets", "ours, the slowest target alone"
	return s.race(ctx, all, slowest)
}

// results reads 1,000 results of 1 MiB.
func results(ctx context.Context, s stage) error {
	file := filepath.Join(s.bench.dir, "report.json")
	defer func() { _ = os.Remove(file) }()
	report := s.deploying("--report", "json="+file)
	report.what, report.before = "ours, --report json=NEW", gone(ctx, file)
	err := s.race(ctx, s.deploying(), report,
		contender{what: "curl", needs: "curl", env: s.env(), command: []string{
			"sh", "-c", `curl -sSf -o /dev/null -H "Authorization: Bearer $SPIRO_TOKEN" -F project=shop -F deployment=prod -F highstate=yes -F "bundle=@/dev/null" "$SPIRO_URL"`,
		}},
	)
	if err != nil {
		return err
	}
	for _, r := range s.results {
		if r.Case == s.name && strings.HasPrefix(r.What, "ours") {
			s.add(Result{What: r.What + ", rate", Value: fmt.Sprintf("%.0f MB/s", float64(s.bytes)/r.Median.Seconds()/1e6)})
		}
	}
	return nil
}

// latency measures from the server's writing of an event to the line about it.
func latency(ctx context.Context, s stage) error {
	c := s.deploying()
	cmd := exec.CommandContext(ctx, c.command[0], c.command[1:]...)
	cmd.Env = append(os.Environ(), c.env...)
	lines, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return err
	}
	var delays []time.Duration
	for scan := bufio.NewScanner(lines); scan.Scan(); {
		now := time.Now().UnixNano()
		_, stamp, ok := strings.Cut(scan.Text(), "sent at ")
		if sent, err := strconv.ParseInt(stamp, 10, 64); ok && err == nil {
			delays = append(delays, time.Duration(now-sent))
		}
	}
	if err := cmd.Wait(); err != nil {
		return err
	}
	slices.Sort(delays)
	if len(delays) == 0 {
		return errors.New("no event was seen")
	}
	at := func(i int) time.Duration { return delays[i].Round(time.Microsecond) }
	s.add(Result{What: "ours", Value: fmt.Sprintf("%d events: median %s, p99 %s, most %s",
		len(delays), at(len(delays)/2), at(len(delays)*99/100), at(len(delays)-1))})
	return nil
}
