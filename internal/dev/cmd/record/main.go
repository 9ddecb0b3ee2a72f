// Command record records the event streams of internal/dev/streams.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spirostack/spirodeploy/internal/dev/cmd"
	"github.com/spirostack/spirodeploy/internal/dev/salt"
)

func main() {
	cmd.Main(func(ctx context.Context) error {
		return salt.Record(ctx, filepath.Join("internal", "dev", "streams", "recorded"), func(line string) { fmt.Fprintln(os.Stderr, line) })
	})
}
