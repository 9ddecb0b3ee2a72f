package leak_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/internal/module"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/registry"
	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
	"github.com/spirostack/spirodeploy/tests/registry/store"
)

// depot is a registry with a login that keeps all that it is sent.
type depot struct {
	*httptest.Server
	user, password string

	mu    sync.Mutex
	heard bytes.Buffer
}

// newDepot starts a registry. After the login, reply answers in its place, with every
// form of the password; if reply is nil, the registry is a good one.
func newDepot(t *testing.T, reply func(w http.ResponseWriter, password string)) *depot {
	t.Helper()
	d := &depot{user: "ci", password: opaque()[:60]} // bcrypt takes no more than 72 bytes
	d.Server = store.Start(t, store.Options{Username: d.user, Password: d.password, Wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			dump, err := httputil.DumpRequest(r, true)
			if err != nil {
				return // the client has gone
			}
			d.mu.Lock()
			d.heard.Write(dump)
			d.mu.Unlock()
			if _, password, ok := r.BasicAuth(); ok && reply != nil {
				reply(w, password)
				return
			}
			next.ServeHTTP(w, r)
		})
	}})
	return d
}

// address returns an address in the registry.
func (d *depot) address(rest string) string {
	return registry.Scheme + strings.TrimPrefix(d.URL, "http://") + "/shop" + rest
}

// secrets returns the parts of a login that must not be shown.
func (d *depot) secrets() []string { return []string{d.password, d.user + ":" + d.password} }

// docker writes Docker's configuration with the login, and returns its variable.
func (d *depot) docker(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	auth := base64.StdEncoding.EncodeToString([]byte(d.user + ":" + d.password))
	write(t, filepath.Join(dir, "config.json"), fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, strings.TrimPrefix(d.URL, "http://"), auth))
	return "DOCKER_CONFIG=" + dir
}

// got fails the test unless the registry got the login, and no token.
func (d *depot) got(t *testing.T, tokens []string) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(leaks(d.heard.Bytes(), d.secrets()...)) == 0 {
		t.Error("the registry was not sent the login, or in another form than was looked for")
	}
	clean(t, "what the registry was sent", newSearch(tokens...), d.heard.Bytes())
}

// errorsOf is the body of a registry's failure.
func errorsOf(code, message string) string {
	return object(map[string]any{"errors": []map[string]any{{"code": code, "message": message, "detail": message}}})
}

// failing answers with a status, and errors that have the password in all forms.
func failing(status int) func(http.ResponseWriter, string) {
	return func(w http.ResponseWriter, password string) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, errorsOf("DENIED", everyForm(password)))
	}
}

// halves answers with a message that is short enough to be shown whole, and has a part
// of the password.
func halves(w http.ResponseWriter, password string) {
	w.WriteHeader(http.StatusForbidden)
	_, _ = io.WriteString(w, errorsOf("DENIED", "is it "+password[:len(password)/2]+"?"))
}

// hexed does the same in hexadecimal digits.
func hexed(w http.ResponseWriter, password string) {
	w.WriteHeader(http.StatusForbidden)
	_, _ = fmt.Fprint(w, errorsOf("DENIED", fmt.Sprintf("is it %x?", password)))
}

// depots are the ways in which a registry repeats the password.
var depots = []struct {
	name  string
	reply func(http.ResponseWriter, string)
}{
	{"401", failing(http.StatusUnauthorized)},
	{"403", failing(http.StatusForbidden)},
	{"404", failing(http.StatusNotFound)},
	{"400", failing(http.StatusBadRequest)},
	{"half of it", halves},
	{"in hex", hexed},
	{"code", func(w http.ResponseWriter, password string) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, errorsOf(password, "no"))
	}},
	{"redirect to it", func(w http.ResponseWriter, password string) {
		w.Header().Set("Location", "http://127.0.0.1:1/"+password+"?signature="+password)
		w.WriteHeader(http.StatusTemporaryRedirect)
	}},
	{"redirect to a host of its name", func(w http.ResponseWriter, password string) {
		w.Header().Set("Location", "http://"+password+":99999/")
		w.WriteHeader(http.StatusTemporaryRedirect)
	}},
	{"token service of its name", func(w http.ResponseWriter, password string) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="https://`+password+`/`+password+`",service="`+password+`"`)
		w.WriteHeader(http.StatusUnauthorized)
	}},
	{"digest", func(w http.ResponseWriter, password string) {
		w.Header().Set("Docker-Content-Digest", password)
		_, _ = io.WriteString(w, "{}")
	}},
	{"type", func(w http.ResponseWriter, password string) {
		w.Header().Set("Content-Type", "application/vnd."+password)
		_, _ = io.WriteString(w, "{}")
	}},
	{"manifest", func(w http.ResponseWriter, password string) {
		_, _ = io.WriteString(w, object(map[string]any{"schemaVersion": 2, "mediaType": password, "annotations": map[string]string{"org.opencontainers.image.revision": password}}))
	}},
	{"layer", func(w http.ResponseWriter, password string) {
		_, _ = io.WriteString(w, object(map[string]any{"schemaVersion": 2, "layers": []any{map[string]any{"mediaType": password, "digest": password, "size": 1}}}))
	}},
	{"no registry", func(w http.ResponseWriter, password string) { _, _ = io.WriteString(w, everyForm(password)) }},
}

// TestRegistryPrograms: whatever a registry repeats, the command and mage show neither
// its password nor the token, and the token does not go there.
func TestRegistryPrograms(t *testing.T) {
	t.Parallel()
	for n, f := range fronts {
		for i, tt := range depots {
			if n > 0 && i%3 != n {
				continue // the library sees all; here, each has its turn
			}
			for _, verb := range []string{"push", "pull"} {
				t.Run(strings.Join([]string{f.name, verb, tt.name}, "/"), func(t *testing.T) {
					t.Parallel()
					d := newDepot(t, tt.reply)
					secret := macaroon(t)
					r := d.run(t, f, verb, secret, map[string]string{"server": closed, "insecure": "", "report": strings.Join(reportFlags("."), ",")})
					if r.status == 0 {
						t.Error("it succeeded")
					}
				})
			}
		}
		t.Run(f.name+"/success", func(t *testing.T) {
			t.Parallel()
			d := newDepot(t, nil)
			server := spirotest.New(t, spirotest.Options{Minions: []spirotest.Minion{{ID: "web1"}}})
			secret := server.Token(time.Hour, "shop")
			d.run(t, f, "push", secret, nil).want(t, 0, "@sha256:", d.secrets()...)
			flags := map[string]string{"server": server.URL(), "insecure": "", "report": strings.Join(reportFlags("."), ",")}
			d.run(t, f, "pull", secret, flags).want(t, 0, "1 minion", d.secrets()...)
			if !offered(server, sent(t, secret)[1]) {
				t.Error("the token did not go to the server")
			}
		})
	}
}

// run pushes a project to the registry, or deploys from it.
func (d *depot) run(t *testing.T, f front, verb, secret string, flags map[string]string) result {
	t.Helper()
	do, positions := "deploy", []string{"shop", "prod"}
	switch {
	case verb == "pull":
		flags["bundle"] = d.address(":1")
	case f.name == "command":
		positions, flags = nil, map[string]string{"output": d.address(":1")}
	default:
		do, positions, flags = "push", []string{d.address(":1")}, nil
	}
	j := f.job(t, do, positions, flags)
	tokens := sent(t, secret)
	j.env, j.secrets = append(j.env, "SPIRO_TOKEN="+secret, d.docker(t)), append(d.secrets(), tokens...)
	r := j.run(t)
	d.got(t, tokens)
	return r
}

// writeLogin writes a login with all verbs but %p, for which fmt does not call methods.
func writeLogin(out io.Writer, login registry.Login) {
	fmt.Fprintf(out, "%v %+v %#v %s %q %x %d %T\n", login, &login, login, login, login, login, &login, login)
	slog.New(slog.NewTextHandler(out, nil)).Info("message", "value", login)
	slog.New(slog.NewJSONHandler(out, nil)).Info("message", "value", login)
	for _, marshal := range []func(any) ([]byte, error){json.Marshal, xml.Marshal} {
		text, err := marshal(login)
		fmt.Fprintf(out, "%s %v\n", text, err)
	}
}

// TestRegistryLibrary: nor do the library's errors and values, or the module.
func TestRegistryLibrary(t *testing.T) {
	t.Parallel()
	for _, tt := range depots {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := newDepot(t, tt.reply)
			login := registry.Login{Username: d.user, Password: d.password}
			opts := registry.Options{Credentials: registry.Static(login), Attempts: 1}
			c, err := registry.New(opts)
			if err != nil {
				t.Fatal(err)
			}
			addr, err := registry.Parse(d.address(":1"))
			if err != nil {
				t.Fatal(err)
			}
			file := tarball(t)
			b, err := bundle.OpenFile(t.Context(), file)
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			pushed, pushErr := c.Push(t.Context(), addr, b, registry.Origin{})
			pulled, pullErr := c.Pull(t.Context(), addr, io.Discard)
			moduleOptions := registry.Options{Credentials: registry.Static(login)}
			address, modulePush := module.Push(t.Context(), file, addr.String(), "", moduleOptions)
			modulePull := module.Pull(t.Context(), addr.String(), filepath.Join(t.TempDir(), "pulled.tar"), moduleOptions)
			for _, err := range []error{pushErr, pullErr, modulePush, modulePull} {
				if err == nil {
					t.Error("it succeeded")
				}
			}
			clean(t, "the library or the module", newSearch(d.secrets()...), all(
				func(out io.Writer) { writeLogin(out, login); writeValues(out, opts, c, pushed, pulled, address) },
				func(out io.Writer) { writeErrors(out, pushErr) },
				func(out io.Writer) { writeErrors(out, pullErr) },
				func(out io.Writer) { writeErrors(out, modulePush) },
				func(out io.Writer) { writeErrors(out, modulePull) },
			))
			d.got(t, []string{opaque()})
		})
	}
}
