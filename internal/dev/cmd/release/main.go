// Command release builds what is published of a version.
package main

import (
	"context"
	"flag"
	"os"

	"github.com/spirostack/spirodeploy/internal/dev/cmd"
	"github.com/spirostack/spirodeploy/internal/dev/release"
)

func main() {
	opts := release.Options{Out: os.Stdout}
	flag.StringVar(&opts.Version, "version", "", "such as v0.1.0")
	flag.StringVar(&opts.Output, "output", "", "directory to make")
	flag.Parse()
	cmd.Main(func(ctx context.Context) error { return release.Run(ctx, opts) })
}
