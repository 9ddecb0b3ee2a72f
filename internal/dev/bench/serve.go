package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// served is a running server, as it tells of itself.
type served struct {
	URL, Token, Cert string // Cert is a file's path; empty for plain HTTP
	Bytes            int64  // of the events that it sends
}

func (s served) env() []string { return []string{"SPIRO_URL=" + s.URL, "SPIRO_TOKEN=" + s.Token} }

// serve starts the server that does what mode says, and returns how to end it.
func (b *bench) serve(ctx context.Context, mode string) (s served, stop func(), err error) {
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, b.server, mode, filepath.Join(b.dir, "cert.pem"))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		cancel()
		return s, nil, err
	}
	stop = func() {
		cancel()
		_ = cmd.Wait() // it was killed
	}
	if err := json.NewDecoder(out).Decode(&s); err != nil {
		stop()
		return s, nil, fmt.Errorf("server: %w", err)
	}
	return s, stop, nil
}

// onServer measures with a tree, and a server that does what mode says.
func onServer(mode string, t tree, run func(ctx context.Context, b *bench, name, dir string, s served) error) func(context.Context, *bench, string) error {
	return func(ctx context.Context, b *bench, name string) error {
		dir, err := b.made(t)
		if err != nil {
			return err
		}
		s, stop, err := b.serve(ctx, mode)
		if err != nil {
			return err
		}
		defer stop()
		return run(ctx, b, name, dir, s)
	}
}

// deploy sends a tree to a server that forgets it.
func deploy(ctx context.Context, b *bench, name, dir string, s served) error {
	tar, err := b.tarOf(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tar) }()
	return b.race(ctx, name,
		contender{what: "ours, bundling included", env: s.env(), command: []string{b.ours, "--dir", dir, "--ssl-cert", s.Cert, "shop", "prod"}},
		contender{what: "curl -F, the ready tar", needs: "curl", env: s.env(), command: []string{
			"sh", "-c", `curl -sSf --cacert "$1" -H "Authorization: Bearer $SPIRO_TOKEN" -F project=shop -F deployment=prod -F "bundle=@$2" "$SPIRO_URL"`, "sh", s.Cert, tar,
		}},
	)
}

// fleet deploys to 20 servers in one run, beside a run for the slowest alone.
func fleet(ctx context.Context, b *bench, name, dir string, s served) error {
	return b.race(ctx, name,
		contender{what: "ours, 20 targets", env: s.env(), command: []string{b.ours, "--dir", dir, "--insecure", "--targets", s.Cert, "shop", "prod"}},
		contender{what: "ours, the slowest target alone", env: s.env(), command: []string{b.ours, "--dir", dir, "--insecure", "shop", "prod"}},
	)
}

// results reads 1,000 results of 1 MiB.
func results(ctx context.Context, b *bench, name, dir string, s served) error {
	command := []string{b.ours, "--dir", dir, "--insecure", "shop", "prod"}
	file := filepath.Join(b.dir, "report.json")
	defer func() { _ = os.Remove(file) }()
	err := b.race(ctx, name,
		contender{what: "ours", env: s.env(), command: command},
		contender{what: "ours, --report json=FILE", env: s.env(), command: append(slices.Clone(command), "--report", "json="+file)},
		contender{what: "curl", needs: "curl", env: s.env(), command: []string{
			"sh", "-c", `curl -sSf -H "Authorization: Bearer $SPIRO_TOKEN" -F project=shop -F deployment=prod -F highstate=yes -F "bundle=@/dev/null" "$SPIRO_URL"`,
		}},
	)
	if err != nil {
		return err
	}
	for _, r := range b.results {
		if r.Case == name && strings.HasPrefix(r.What, "ours") {
			b.add(Result{Case: name, What: r.What + ", rate", Value: fmt.Sprintf("%.0f MB/s", float64(s.Bytes)/r.Median.Seconds()/1e6)})
		}
	}
	return nil
}

// latency measures from the server's writing of an event to the line about it.
func latency(ctx context.Context, b *bench, name, dir string, s served) error {
	cmd := exec.CommandContext(ctx, b.ours, "--dir", dir, "--insecure", "shop", "prod")
	cmd.Env = append(os.Environ(), s.env()...)
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
		return fmt.Errorf("no event was seen")
	}
	b.add(Result{Case: name, What: "ours", Value: fmt.Sprintf("%d events: median %s, p99 %s, most %s",
		len(delays), delays[len(delays)/2].Round(time.Microsecond), delays[len(delays)*99/100].Round(time.Microsecond), delays[len(delays)-1].Round(time.Microsecond))})
	return nil
}
