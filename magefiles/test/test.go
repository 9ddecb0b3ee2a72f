// Package test has the target test:all.
package test

import (
	"context"
	"os"

	"github.com/spirostack/spirodeploy/internal/dev/ci"
)

// All runs all tests, with the race detector; takes half an hour.
func All(ctx context.Context) error { return ci.TestAll(ctx, os.Stdout) }
