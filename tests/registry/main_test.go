// Package registry_test tests package registry with a real registry, distribution, in the
// process of the test.
package registry_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/spirodeploy/registry"
	"github.com/spirostack/spirodeploy/tests/program"
	"github.com/spirostack/spirodeploy/tests/registry/store"
)

func TestMain(m *testing.M) { program.Main(m) }

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
