// Package registry keeps bundles in OCI registries: it pushes one under a tag, and
// pulls one by tag or digest.
//
//	addr, err := registry.Parse("oci://registry.example.com/shop:1.4")
//	c, err := registry.New(registry.Options{Credentials: registry.Docker(path)})
//	pushed, err := c.Push(ctx, addr, b, registry.Origin{})   // b is a *bundle.Bundle
//	file, err := c.PullFile(ctx, pushed.Address)             // for bundle.OpenFile
//
// A bundle is an artifact of one layer, the tar as it is: the layer's digest is the
// bundle's. The same bundle and [Origin] give the same manifest, and so the same
// digest, in every repository and at any time. docs/registry.md specifies the format;
// oras and cosign work on it.
//
// Push writes nothing to disk, and sends nothing that the registry has. Pull checks
// every byte against the digest in the manifest, and the manifest against the digest
// of the address, if it has one. Both need little memory, whatever the size.
//
// A request that fails for a reason that may pass (a connection that is cut, 408, 429,
// 5xx) is tried again, after a pause or as long as the registry asks for. A pull goes
// on where it was cut, if the registry can do that.
//
// Credentials go to the registry, and to the token service that it names, over TLS;
// over plain HTTP only to a registry that [Options.PlainHTTP] or a loopback address
// allows it for. They follow no redirect to another host, and no error has them.
// The package does not read the environment: [Docker] takes a path.
package registry
