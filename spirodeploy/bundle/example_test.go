package bundle_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
)

// shop makes a small project directory.
func shop(top string) (dir string) {
	dir, err := os.MkdirTemp("", "shop")
	if err != nil {
		log.Fatal(err)
	}
	for name, content := range map[string]string{"_salt/top.sls": top, "_salt/shop/init.sls": "# states\n", "dist/app": "binary\n"} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			log.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			log.Fatal(err)
		}
	}
	return dir
}

func ExampleNew() {
	dir := shop("base:\n  '*': [shop]\n")
	defer os.RemoveAll(dir)

	ctx := context.Background()
	b, err := bundle.New(ctx, bundle.Options{
		Dir:       dir,
		Artifacts: []bundle.Artifact{{Name: "shop", Path: "dist/app"}},
	})
	if err != nil {
		fmt.Println(err) // all that is wrong with the tree
		return
	}
	defer b.Close()
	for item := range b.Items() {
		fmt.Println(item.Mode, item.Name)
	}
	digest, err := b.Digest(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(b.Size(), digest)
	// Output:
	// drwxr-xr-x _artifacts/
	// -rw-r--r-- _artifacts/shop
	// drwxr-xr-x shop/
	// -rw-r--r-- shop/init.sls
	// -rw-r--r-- top.sls
	// 5120 sha256:26c1febb4f7dc51a58e319c22c4f4b75b077e448f323c6dc32bf584a518ea957
}

func ExampleDiff() {
	var tars []io.Reader
	for _, top := range []string{"base: {}\n", "base:\n  '*': [shop]\n"} {
		dir := shop(top)
		defer os.RemoveAll(dir)
		b, err := bundle.New(context.Background(), bundle.Options{Dir: dir})
		if err != nil {
			fmt.Println(err)
			return
		}
		defer b.Close()
		var buf bytes.Buffer
		if _, err := b.WriteTo(&buf); err != nil {
			fmt.Println(err)
			return
		}
		tars = append(tars, &buf)
	}
	changes, err := bundle.Diff(tars[0], tars[1])
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, change := range changes {
		fmt.Println(change)
	}
	// Output:
	// ~ top.sls (size 9 → 20)
}

// A scanner of your own puts into a bundle what is no file of the project.
func ExampleScanner() {
	versions := func(_ context.Context, dir string, _ func(name string) bool) iter.Seq2[bundle.Entry, error] {
		return func(yield func(bundle.Entry, error) bool) {
			content := "shop: 1.2.3\n"
			entry := bundle.Entry{
				Name: "versions.yaml", Size: int64(len(content)),
				Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(content)), nil },
			}
			_ = yield(entry, nil) && yield(bundle.FileEntry("bin/shop", filepath.Join(dir, "dist/app")))
		}
	}
	dir := shop("base: {}\n")
	defer os.RemoveAll(dir)
	b, err := bundle.New(context.Background(), bundle.Options{Dir: dir, Scanners: []bundle.Scanner{versions}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()
	for item := range b.Items() {
		fmt.Println(item.Name, item.Size)
	}
	// Output:
	// bin/ 0
	// bin/shop 7
	// shop/ 0
	// shop/init.sls 9
	// top.sls 9
	// versions.yaml 12
}
