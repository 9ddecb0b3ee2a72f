// Package registry_test holds package registry against a real registry,
// distribution, in the process of the test.
package registry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/distribution/distribution/v3/configuration"
	_ "github.com/distribution/distribution/v3/registry/auth/htpasswd"
	"github.com/distribution/distribution/v3/registry/handlers"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
	"github.com/sirupsen/logrus"
	"golang.org/x/crypto/bcrypt"

	"github.com/spirostack/spirodeploy/spirodeploy/registry"
)

// The programs that the tests run.
var transfer, peak, command string

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	logrus.SetOutput(io.Discard)
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
	dir := t.TempDir()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	htpasswd := filepath.Join(dir, "htpasswd")
	if err := os.WriteFile(htpasswd, fmt.Appendf(nil, "%s:%s\n", user, hash), 0o600); err != nil {
		t.Fatal(err)
	}
	config := &configuration.Configuration{
		Storage: configuration.Storage{
			"filesystem":  {"rootdirectory": filepath.Join(dir, "blobs")},
			"maintenance": {"uploadpurging": map[any]any{"enabled": false}},
		},
		Auth: configuration.Auth{"htpasswd": {"realm": "registry", "path": htpasswd}},
	}
	config.HTTP.Secret = "of the state of uploads"
	config.Catalog.MaxEntries = 1000
	ctx, cancel := context.WithCancel(context.Background())
	app := handlers.NewApp(ctx, config)
	var handler http.Handler = app
	if wrap != nil {
		handler = wrap(app)
	}
	r := real{httptest.NewUnstartedServer(handler), registry.Static(registry.Login{Username: user, Password: password})}
	if tls {
		r.StartTLS()
	} else {
		r.Start()
	}
	t.Cleanup(func() {
		r.Close()
		cancel()
		if err := app.Shutdown(); err != nil {
			t.Error(err)
		}
	})
	return r
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
