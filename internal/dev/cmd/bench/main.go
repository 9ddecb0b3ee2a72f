// Command bench measures the command beside other tools.
package main

import (
	"context"
	"flag"
	"os"

	"github.com/spirostack/spirodeploy/internal/dev/bench"
	"github.com/spirostack/spirodeploy/internal/dev/cmd"
)

func main() {
	opts := bench.Options{Out: os.Stdout}
	flag.IntVar(&opts.Runs, "runs", 5, "how often each runs")
	flag.StringVar(&opts.Only, "only", "", "only the cases whose name has this in it")
	flag.StringVar(&opts.JSON, "json", "", "file for the results")
	flag.Parse()
	cmd.Main(func(ctx context.Context) error { return bench.Run(ctx, opts) })
}
