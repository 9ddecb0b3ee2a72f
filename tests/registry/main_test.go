// Package registry_test holds package registry against a real registry,
// distribution, in the process of the test.
package registry_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/spirodeploy/registry"
	"github.com/spirostack/spirodeploy/tests/registry/store"
)

// The programs that the tests run.
var transfer, peak, command string

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "registry-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	suffix := ""
	if runtime.GOOS == "windows" {
		suffix = ".exe"
	}
	transfer, peak, command = filepath.Join(dir, "transfer"+suffix), filepath.Join(dir, "peak"+suffix), filepath.Join(dir, "spiro-deploy"+suffix)
	err = errors.Join(build(transfer, ".", "./transfer"), build(peak, ".", "../hostile/peak"), build(command, filepath.Join("..", ".."), "./spirodeploy/cmd/spiro-deploy"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// build makes a program. The race detector stays off: its memory would count.
func build(program, dir, source string) error {
	cmd := exec.Command("go", "build", "-o", program, source)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", source, err, out)
	}
	return nil
}

const user, password = "me", "a-password-of-a-registry"

// real is a registry with a login.
type real struct { //nolint:predeclared // nothing here has complex numbers
	*httptest.Server
	login registry.Credentials
}

// start starts a registry; wrap may put something before it.
func start(t *testing.T, tls bool, wrap func(http.Handler) http.Handler) real {
	t.Helper()
	server := store.Start(t, store.Options{Username: user, Password: password, TLS: tls, Wrap: wrap})
	return real{server, registry.Static(registry.Login{Username: user, Password: password})}
}

func (r real) host() string {
	_, host, _ := strings.Cut(r.URL, "://")
	return host
}

func (r real) address(t *testing.T, rest string) registry.Address {
	t.Helper()
	addr, err := registry.Parse("oci://" + r.host() + "/" + rest)
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

func newClient(t *testing.T, opts registry.Options) *registry.Client {
	t.Helper()
	c, err := registry.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
