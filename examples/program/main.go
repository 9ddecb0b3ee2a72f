// Program deploys the project in the working directory to two servers at once,
// says which minions failed, writes the report as a page, and ends with the exit
// status of the deployment.
//
//	SPIRO_TOKEN=… program https://salt-eu.example.com:4510/ https://salt-us.example.com:4510/
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"

	"github.com/spirostack/spirodeploy/spirodeploy"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/report/view"
	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

// page is the file of the report.
const page = "report.html"

func main() { os.Exit(status(run(os.Args[1:]))) }

// status says what went wrong, if anything did, and returns the exit status for it.
func status(err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, "error:", err)
	if failed, ok := errors.AsType[*report.Error](err); ok {
		return failed.ExitStatus()
	}
	return report.Invalid.ExitStatus()
}

func run(servers []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if len(servers) != 2 {
		return errors.New("usage: program EU-SERVER US-SERVER")
	}
	tok, err := token.Parse(os.Getenv("SPIRO_TOKEN")) // both servers have to take it
	if err != nil {
		return fmt.Errorf("SPIRO_TOKEN: %w", err)
	}
	opts := spirodeploy.Options{
		Project: "shop", Deployment: "prod",
		Bundle: bundle.Options{Artifacts: []bundle.Artifact{{Path: "build/shop"}}},
		Watch:  view.Story(os.Stderr, view.StoryOptions{}),
	}
	for i, server := range servers {
		opts.Targets = append(opts.Targets, spirodeploy.Target{
			Name:   []string{"eu", "us"}[i],
			Server: &client.Options{Server: server, Token: tok, Proxy: http.ProxyFromEnvironment},
		})
	}
	rep, err := spirodeploy.Deploy(ctx, opts)
	defer func() { _ = rep.Close() }() // removes a temporary file, if there is one
	show(rep)
	return errors.Join(err, write(rep))
}

// show says which minions failed, and what became of the targets.
func show(rep *report.Report) {
	for _, target := range rep.Targets {
		for _, m := range target.Minions {
			if !m.OK() {
				// An id is what a server says: quoted, no terminal obeys it.
				fmt.Printf("%s: minion %q: %s, %d of %d states failed\n", target.Name, m.ID, m.Status, m.Counts.Failed, m.Counts.Total)
			}
		}
	}
	fmt.Println(rep.Summary())
}

// write writes the page, all of it or nothing.
func write(rep *report.Report) error {
	f, err := os.CreateTemp(".", page+".*")
	if err != nil {
		return err
	}
	err = errors.Join(view.HTML(f, rep), f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), page)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
