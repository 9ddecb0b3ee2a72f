// Command pictures makes what README.md shows, docs/pictures, from a deployment
// of examples/shop that fails on one minion: "go tool mage pictures".
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/spirostack/spirodeploy/tests/docs/example"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := pictures(ctx, filepath.Join(example.Root, "docs", "pictures"))
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

// pictures makes all of them in a directory.
func pictures(ctx context.Context, dir string) (err error) {
	scratch, err := os.MkdirTemp("", "spirodeploy-pictures-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	page, err := deploy(ctx, scratch, filepath.Join(dir, "deploy.svg"))
	if err != nil {
		return err
	}
	for name, scheme := range map[string]string{"report.png": "light", "report-dark.png": "dark"} {
		png, err := photograph(ctx, "file://"+page, scheme)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), png, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// deploy draws the deployment as it looks on a terminal, and returns the path of
// its report.
func deploy(ctx context.Context, scratch, picture string) (page string, err error) {
	program, err := example.Build(ctx, scratch)
	if err != nil {
		return "", err
	}
	project := filepath.Join(scratch, "shop")
	if err := example.Project(ctx, project); err != nil {
		return "", err
	}
	server, err := example.Start(scratch, true)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	screen, err := record(ctx, project, server.Environ(), 1, program, "--artifact", "build/shop", "--report", "html=report.html", "shop", "prod")
	if err != nil {
		return "", err
	}
	drawn := svg(screen, "spiro-deploy on a terminal: a deployment that failed on one of three minions, and why")
	return filepath.Join(project, "report.html"), os.WriteFile(picture, drawn, 0o644)
}
