// Package real has the stage of a real Salt master for the demo.
package real

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spirostack/spirodeploy/internal/dev/demo"
	"github.com/spirostack/spirodeploy/internal/dev/salt"
)

// Stage starts a real Salt master with SpiroFS and two minions, which write below
// a temporary directory and are gone afterwards. Its first run installs Salt into
// the user's cache directory.
func Stage(ctx context.Context, opts demo.Options, deploy func(url, token string) error) (err error) {
	opts.Say("# A real Salt master with SpiroFS, and the minions web1 and db1, on loopback ports and below a temporary directory:")
	progress := func(line string) { opts.Say("%s", line) }
	env, err := salt.Prepare(ctx, progress)
	if err != nil {
		return fmt.Errorf("the demo with a real Salt: %w", err)
	}
	web := salt.Minion{ID: "web1"}
	if opts.Fail {
		web.Grains = map[string]any{"shop_port": 80800} // which the program refuses
	}
	progress("Salt: starting, some seconds")
	master, err := env.Start(ctx, salt.Options{
		Minions: []salt.Minion{web, {ID: "db1"}}, Progress: progress,
	})
	if err != nil {
		return fmt.Errorf("the demo with a real Salt: %w", err)
	}
	defer func() {
		if closeErr := master.Close(); closeErr != nil {
			err = errors.Join(err, closeErr)
			return
		}
		opts.Say("# Master and minions have ended, their directory is removed.")
	}()
	opts.Say("\n# SpiroFS listens at %s. This deploys to it:", master.URL)
	err = deploy(master.URL, master.Token(time.Hour, "shop").Reveal())

	written := filepath.Join(master.Root("web1"), "etc", "shop", "site.conf")
	if text, readErr := os.ReadFile(written); readErr == nil {
		opts.Say("\n# One of the files that Salt wrote, %s:\n%s", written, text)
	}
	return err
}
