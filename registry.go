package main

import (
	"context"

	"github.com/spirostack/spirodeploy/internal/dagger"
	"github.com/spirostack/spirodeploy/internal/module"
	"github.com/spirostack/spirodeploy/spirodeploy/registry"
)

// Push puts a bundle into an OCI registry. It returns the address there, with the digest of the manifest: pull gives just these bytes for it.
//
// +cache="never"
func (m *Spirodeploy) Push(
	ctx context.Context,
	// The bundle to push.
	bundle *dagger.File,
	// Where it goes, such as oci://registry.example.com/shop:1.4.
	address string,
	// User name for the registry.
	// +optional
	username string,
	// Password or access token for the registry.
	// +optional
	password *dagger.Secret,
	// URL of the source code, noted with the bundle.
	// +optional
	source string,
	// Certificate or CA of the registry, in PEM, trusted beside the usual ones.
	// +optional
	registryCert *dagger.File,
	// Speak plain HTTP with the registry.
	// +optional
	registryPlain bool,
) (string, error) {
	const file = "push.tar"
	if _, err := bundle.Export(ctx, file); err != nil {
		return "", err
	}
	opts, err := newRegistry(ctx, username, password, registryCert, registryPlain)
	if err != nil {
		return "", err
	}
	return module.Push(ctx, file, address, source, opts)
}

// Pull gets a bundle from an OCI registry, to deploy. Its bytes have the digest that the registry's manifest says.
//
// +cache="session"
func (m *Spirodeploy) Pull(
	ctx context.Context,
	// Where it is, such as oci://registry.example.com/shop:1.4, or …@sha256:… for just one bundle.
	address string,
	// User name for the registry.
	// +optional
	username string,
	// Password or access token for the registry.
	// +optional
	password *dagger.Secret,
	// Certificate or CA of the registry, in PEM, trusted beside the usual ones.
	// +optional
	registryCert *dagger.File,
	// Speak plain HTTP with the registry.
	// +optional
	registryPlain bool,
) (*dagger.File, error) {
	const file = "bundle.tar"
	opts, err := newRegistry(ctx, username, password, registryCert, registryPlain)
	if err != nil {
		return nil, err
	}
	if err := module.Pull(ctx, address, file, opts); err != nil {
		return nil, err
	}
	return dag.CurrentModule().WorkdirFile(file), nil
}

// newRegistry returns the options to reach a registry.
func newRegistry(ctx context.Context, username string, password *dagger.Secret, certificate *dagger.File, plain bool) (opts registry.Options, err error) {
	opts.PlainHTTP = plain
	if opts.Certificate, err = contents(ctx, certificate); err != nil {
		return opts, err
	}
	plaintext := ""
	if password != nil {
		if plaintext, err = password.Plaintext(ctx); err != nil {
			return opts, err
		}
	}
	opts.Credentials, err = module.Login(username, plaintext)
	return opts, err
}
