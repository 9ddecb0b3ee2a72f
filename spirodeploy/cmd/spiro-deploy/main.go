// Command spiro-deploy deploys a project's Salt states through a SpiroFS server.
// It takes the flags, positions and environment of the first-party client of
// the same name, and more: see spiro-deploy --help and docs/command.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/spirostack/spirodeploy/internal/edge"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

func main() { os.Exit(run(os.Args[1:])) }

// run returns the exit status.
func run(args []string) int {
	var f flags
	exit := -1
	parser, err := kong.New(&f,
		kong.Name("spiro-deploy"),
		kong.Description(description),
		kong.Vars{"version": version()},
		kong.Exit(func(status int) { exit = status }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
	)
	if err != nil {
		return fail(err)
	}
	_, err = parser.Parse(args)
	if exit >= 0 { // --help and --version have had their say
		return exit
	}
	if err == nil {
		err = f.check()
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "spiro-deploy: %s (spiro-deploy --help lists what there is)\n", explain(err))
		return report.Invalid.ExitStatus()
	}
	ctx, stop := untilInterrupted()
	defer stop()
	if f.Token != nil {
		fmt.Fprintln(os.Stderr, "warning: a token in the argument list can be seen by everybody on this machine: use SPIRO_TOKEN or --token-file")
	}
	return fail(edge.Process().Run(ctx, f.settings()))
}

// explain says what the parser found. It must not repeat surplus arguments: one
// of them may be a token.
func explain(err error) string {
	switch text := err.Error(); {
	case strings.HasPrefix(text, "unexpected argument"):
		return "there are more arguments than PROJECT and DEPLOYMENT"
	case strings.Contains(text, "missing unit in duration"):
		return text + " (such as 30s or 5m)"
	default:
		return text
	}
}

// fail tells an error, and returns the exit status for it.
func fail(err error) int {
	if err == nil {
		return 0
	}
	e := &edge.Error{Status: report.Invalid.ExitStatus()}
	errors.As(err, &e)
	if !e.Told {
		fmt.Fprintf(os.Stderr, "spiro-deploy: %v\n", err)
	}
	return e.Status
}

// untilInterrupted returns a context that the first SIGINT or SIGTERM ends. The
// second has its usual effect, and ends the process at once.
func untilInterrupted() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case <-signals:
			signal.Stop(signals)
			cancel(report.ErrInterrupted)
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// version returns what the Go command has put into the binary.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "spiro-deploy (unknown version)"
	}
	v := "spiro-deploy " + info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			v += " (" + s.Value + ")"
		}
	}
	return v
}
