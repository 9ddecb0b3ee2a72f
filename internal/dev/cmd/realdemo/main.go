// Command realdemo deploys examples/shop to a real Salt master.
package main

import (
	"context"
	"flag"
	"os"
	"path/filepath"

	"github.com/spirostack/spirodeploy/internal/dev/cmd"
	"github.com/spirostack/spirodeploy/internal/dev/demo"
	"github.com/spirostack/spirodeploy/internal/dev/demo/real"
)

func main() {
	fail := flag.Bool("fail", false, "let a minion fail")
	flag.Parse()
	cmd.Main(func(ctx context.Context) error {
		return demo.Run(ctx, demo.Options{
			Dir: filepath.Join("examples", "shop"), Report: "demo-report",
			Fail: *fail, Stdout: os.Stdout, Stderr: os.Stderr,
		}, real.Stage)
	})
}
