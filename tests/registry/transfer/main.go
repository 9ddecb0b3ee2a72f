// Command transfer pushes a bundle of zeros to a registry, or pulls one, in a process
// of its own, so that its memory can be measured: transfer push ADDRESS BYTES,
// transfer pull ADDRESS.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/registry"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "transfer:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 2 {
		return errors.New("push ADDRESS BYTES, or pull ADDRESS")
	}
	addr, err := registry.Parse(args[1])
	if err != nil {
		return err
	}
	c, err := registry.New(registry.Options{Credentials: registry.Static(registry.Login{Username: os.Getenv("TRANSFER_USER"), Password: os.Getenv("TRANSFER_PASSWORD")})})
	if err != nil {
		return err
	}
	ctx := context.Background()
	if args[0] == "push" {
		return push(ctx, c, addr, args[2])
	}
	start := time.Now()
	file, err := c.PullFile(ctx, addr)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	pulled := time.Since(start)
	b, err := bundle.OpenFile(ctx, file.Path())
	if err != nil {
		return err
	}
	defer b.Close()
	sum, err := b.Digest(ctx)
	if err != nil {
		return err
	}
	fmt.Println(sum, b.Size(), pulled)
	return nil
}

func push(ctx context.Context, c *registry.Client, addr registry.Address, bytes string) error {
	size, err := strconv.ParseInt(bytes, 10, 64)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "transfer-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	hole := dir + "/zeros"
	if err := errors.Join(os.WriteFile(hole, nil, 0o600), os.Truncate(hole, size)); err != nil {
		return err
	}
	b, err := bundle.New(ctx, bundle.Options{Dir: dir, Artifacts: []bundle.Artifact{{Path: "zeros"}}})
	if err != nil {
		return err
	}
	defer b.Close()
	start := time.Now()
	if _, err := b.Digest(ctx); err != nil {
		return err
	}
	hashed := time.Since(start)
	start = time.Now()
	pushed, err := c.Push(ctx, addr, b, registry.Origin{})
	if err != nil {
		return err
	}
	fmt.Println(pushed.Bundle, pushed.Size, time.Since(start), "and to hash", hashed)
	return nil
}
