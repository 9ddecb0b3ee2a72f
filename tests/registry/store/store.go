// Package store starts a real registry, distribution, in the process of a test.
package store

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/distribution/distribution/v3/configuration"
	_ "github.com/distribution/distribution/v3/registry/auth/htpasswd" // the login
	"github.com/distribution/distribution/v3/registry/handlers"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem" // the files
	"github.com/sirupsen/logrus"
	"golang.org/x/crypto/bcrypt"
)

// Options say what registry to start.
type Options struct {
	Username, Password string
	TLS                bool
	// Wrap may put something before the registry; default nothing.
	Wrap func(http.Handler) http.Handler
}

// Start starts a registry for the time of a test.
func Start(t *testing.T, opts Options) *httptest.Server {
	t.Helper()
	logrus.SetOutput(io.Discard)
	dir := t.TempDir()
	hash, err := bcrypt.GenerateFromPassword([]byte(opts.Password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	htpasswd := filepath.Join(dir, "htpasswd")
	if err := os.WriteFile(htpasswd, fmt.Appendf(nil, "%s:%s\n", opts.Username, hash), 0o600); err != nil {
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
	if opts.Wrap != nil {
		handler = opts.Wrap(app)
	}
	server := httptest.NewUnstartedServer(handler)
	if opts.TLS {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(func() {
		server.Close()
		cancel()
		if err := app.Shutdown(); err != nil {
			t.Error(err)
		}
	})
	return server
}
