package registry_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/registry"
)

// Push a bundle, and pull it by the digest that the push has told.
func Example() {
	server := unstarted(nil) // a registry in this process
	server.Start()
	defer server.Close()
	dir, err := os.MkdirTemp("", "example-")
	if err == nil {
		err = pushAndPull(context.Background(), dir, "oci://"+server.host()+"/team/shop:1.4")
	}
	if err := errors.Join(err, os.RemoveAll(dir)); err != nil {
		fmt.Println(err)
	}
	// Output:
	// pushed sha256:2167d3d01a69c0ca142ae24a97495dc7f9c7a4222f17c47c5d5b1d6976c0aa03
	// pulled 1 entry, made 2023-11-14T22:13:20Z
}

func pushAndPull(ctx context.Context, dir, address string) error {
	addr, err := registry.Parse(address)
	if err != nil {
		return err
	}
	c, err := registry.New(registry.Options{Credentials: registry.Docker(os.Getenv("HOME") + "/.docker/config.json")})
	if err != nil {
		return err
	}
	b, err := bundle.New(ctx, bundle.Options{Dir: dir, Files: map[string][]byte{"spirotop.sls": []byte("prod: {'*': [web]}\n"), bundle.GitCommitFile: nil}})
	if err != nil {
		return err
	}
	defer b.Close()
	pushed, err := c.Push(ctx, addr, b, registry.Origin{Created: time.Unix(1_700_000_000, 0)})
	if err != nil {
		return err
	}
	fmt.Println("pushed", pushed.Manifest())

	pulled, err := c.PullFile(ctx, pushed.Address)
	if err != nil {
		return err
	}
	defer pulled.Close()
	f, err := bundle.OpenFile(ctx, pulled.Path()) // what a deployment sends
	if err != nil {
		return err
	}
	defer f.Close()
	fmt.Println("pulled", f.Len(), "entry, made", pulled.Annotations["org.opencontainers.image.created"])
	return nil
}

// The kinds of failure are told apart with errors.Is.
func ExampleError() {
	server := unstarted(nil)
	server.Start()
	defer server.Close()
	c, err := registry.New(registry.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = c.Resolve(context.Background(), registry.Address{Host: server.host(), Name: "team/shop", Tag: "1.5"})
	switch {
	case errors.Is(err, registry.ErrNotFound):
		fmt.Println("it is not there yet")
	case errors.Is(err, registry.ErrDenied), errors.Is(err, registry.ErrUnreachable):
		fmt.Println("ask whoever runs the registry:", err)
	}
	// Output: it is not there yet
}

func ExampleParse() {
	addr, err := registry.Parse("oci://registry.example.com:5000/team/shop:1.4")
	fmt.Println(addr.Host, addr.Name, addr.Tag, err)
	_, err = registry.Parse("oci://registry.example.com:5000/team/shop")
	fmt.Println(err)
	// Output:
	// registry.example.com:5000 team/shop 1.4 <nil>
	// address of a bundle in a registry: it has neither a tag nor a digest: add which one, such as :1.4 (nothing is taken for "latest")
}
