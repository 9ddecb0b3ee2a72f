package module

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spirostack/spirodeploy/internal/ctxio"
	"github.com/spirostack/spirodeploy/internal/errlist"
	"github.com/spirostack/spirodeploy/internal/module/args"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
	"github.com/spirostack/spirodeploy/spirodeploy/registry"
)

// at returns an address, and a client for it.
func at(address string, opts registry.Options) (registry.Address, *registry.Client, error) {
	opts.Proxy = proxy
	addr, err := registry.Parse(address)
	c, clientErr := registry.New(opts)
	return addr, c, errlist.Join(err, clientErr)
}

// Login returns the login of a user, or nil without one. The newline at the end of a file with
// a password is not a part of it, as for "docker login".
func Login(username, password string) (registry.Credentials, error) {
	password = strings.TrimRight(password, "\r\n")
	switch {
	case username == "" && password == "":
		return nil, nil
	case username == "":
		return nil, errors.New("--password is given without --username")
	case password == "":
		return nil, errors.New("--username is given without --password, or that is empty: is a variable not set?")
	}
	return registry.Static(registry.Login{Username: username, Password: password}), nil
}

// Push puts the bundle in a file into a registry, under an address with a tag. It returns
// the address with the digest of the manifest.
func Push(ctx context.Context, file, address, source string, opts registry.Options) (string, error) {
	addr, c, err := at(address, opts)
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
func Pull(ctx context.Context, address, file string, opts registry.Options) error {
	addr, c, err := at(address, opts)
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
