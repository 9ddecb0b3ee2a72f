package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spirostack/spirodeploy/internal/dev/salt"
)

// RunReal does what [Run] does with a real Salt master with SpiroFS and two real
// minions, which write below a temporary directory and are gone afterwards. Its
// first run installs Salt into the user's cache directory.
func RunReal(ctx context.Context, opts Options) (err error) {
	digest, err := opts.bundle(ctx)
	if err != nil {
		return err
	}
	opts.say("# A real Salt master with SpiroFS, and the minions web1 and db1, on loopback ports and below a temporary directory:")
	progress := func(line string) { opts.say("%s", line) }
	env, err := salt.Prepare(ctx, progress)
	if err != nil {
		return fmt.Errorf("the demo with a real Salt: %w", err)
	}
	web := salt.Minion{ID: "web1", RootGrain: "shop_root"}
	if opts.Fail {
		web.Grains = map[string]any{"shop_port": 80800} // which the program refuses
	}
	progress("Salt: starting, some seconds")
	master, err := env.Start(ctx, salt.Options{
		Minions: []salt.Minion{web, {ID: "db1", RootGrain: "shop_root"}}, Progress: progress,
	})
	if err != nil {
		return fmt.Errorf("the demo with a real Salt: %w", err)
	}
	defer func() {
		if closeErr := master.Close(); closeErr != nil {
			err = errors.Join(err, closeErr)
			return
		}
		opts.say("# Master and minions have ended, their directory is removed.")
	}()
	opts.say("\n# SpiroFS listens at %s. This deploys to it:", master.URL)
	err = opts.deploy(ctx, digest, master.URL, master.Token(time.Hour, "shop").Reveal())

	written := filepath.Join(master.Root("web1"), "etc", "shop", "site.conf")
	if text, readErr := os.ReadFile(written); readErr == nil {
		opts.say("\n# One of the files that Salt wrote, %s:\n%s", written, text)
	}
	return err
}
