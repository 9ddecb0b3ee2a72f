package targets_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spirostack/spirodeploy/spirodeploy/targets"
)

// A target in a magefile can call those of this package like any function. An argument
// that is nil has its default.
func ExampleBundle() {
	dir, err := os.MkdirTemp("", "project")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	if err := project(filepath.Join(dir, "_salt", "spirotop.sls"), "prod: {'*': [web]}\n"); err != nil {
		fmt.Println(err)
		return
	}
	if err := project(filepath.Join(dir, "_salt", "web.sls"), "web: {}\n"); err != nil {
		fmt.Println(err)
		return
	}
	home, err := os.Getwd()
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := os.Chdir(dir); err != nil { // mage runs where the magefile is
		fmt.Println(err)
		return
	}
	defer func() { _ = os.Chdir(home) }()

	if err := targets.Bundle(context.Background(), nil, nil, nil, nil, nil, nil, nil, nil, nil); err != nil {
		fmt.Println(err)
	}
	// Output:
	// sha256:5bc253543ca3dbf238d7195b477504ddae47509dd8eecbbb3796ac1a596c85fe  bundle.tar
}

func project(file, content string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(content), 0o644)
}
