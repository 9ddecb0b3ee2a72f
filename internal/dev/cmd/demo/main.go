// Command demo deploys examples/shop to a server in this process.
package main

import (
	"context"
	"flag"
	"os"
	"path/filepath"

	"github.com/spirostack/spirodeploy/internal/dev/cmd"
	"github.com/spirostack/spirodeploy/internal/dev/demo"
)

func main() {
	fail := flag.Bool("fail", false, "let a minion fail")
	serve := flag.Bool("serve", false, "serve, and deploy nothing")
	flag.Parse()
	cmd.Main(func(ctx context.Context) error {
		opts := demo.Options{
			Dir: filepath.Join("examples", "shop"), Report: "demo-report",
			Fail: *fail, Stdout: os.Stdout, Stderr: os.Stderr,
		}
		if *serve {
			return demo.Serve(ctx, opts)
		}
		return demo.Run(ctx, opts, demo.Played)
	})
}
