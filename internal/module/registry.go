package module

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spirostack/spirodeploy/internal/ctxio"
	"github.com/spirostack/spirodeploy/internal/errlist"
	"github.com/spirostack/spirodeploy/internal/module/args"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
	"github.com/spirostack/spirodeploy/spirodeploy/registry"
)

// Registry says how to reach a registry.
type Registry struct {
	Username, Password string // both empty for nobody
	Certificate        []byte // in PEM, trusted beside the system's
	PlainHTTP          bool
}

// at returns an address, and a client for it.
func (r Registry) at(address string) (registry.Address, *registry.Client, error) {
	opts := registry.Options{Certificate: r.Certificate, PlainHTTP: r.PlainHTTP, Proxy: proxy}
	if r.Username != "" || r.Password != "" {
		opts.Credentials = registry.Static(registry.Login{Username: r.Username, Password: r.Password})
	}
	addr, err := registry.Parse(address)
	c, clientErr := registry.New(opts)
	return addr, c, errlist.Join(err, clientErr)
}

// Push puts the bundle in a file into a registry, under an address with a tag. It returns
// the address with the digest of the manifest.
func Push(ctx context.Context, file, address, source string, r Registry) (string, error) {
	addr, c, err := r.at(address)
	if err != nil {
		return "", spelled(err)
	}
	b, err := bundle.OpenFile(ctx, file)
	if err != nil {
		return "", spelled(err)
	}
	defer b.Close()
	result, err := c.Push(ctx, addr, b, registry.Origin{Source: source})
	if err != nil {
		return "", spelled(err)
	}
	return result.Address.String(), nil
}

// Pull gets a bundle from a registry into a new file.
func Pull(ctx context.Context, address, file string, r Registry) error {
	addr, c, err := r.at(address)
	if err != nil {
		return spelled(err)
	}
	out, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("pull: %w", err)
	}
	_, err = c.Pull(ctx, addr, ctxio.Writer(ctx, out))
	if err := errlist.Join(err, out.Close()); err != nil {
		return spelled(errlist.Join(err, os.Remove(file)))
	}
	return nil
}

// spelled returns an error whose hints are spelled as "dagger call" takes them.
func spelled(err error) error { return errors.New(fault.Line(err, args.Spell)) }
