package leak_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
	"github.com/spirostack/spirodeploy/tests/program"
)

// mistakes are wrong places for a token. T stands for the token, and URL for the server's
// URL.
//
// If SPIRO_TOKEN names the same token, the command must not show it. If it does not, the
// command cannot tell the token from a proper value, and repeating the value helps: "open
// T: no such file". The tests accept that for names, paths, patterns and values (accepted
// says why), but not for the server's URL and surplus arguments, since people do put
// tokens there.
var mistakes = []struct {
	name     string
	args     []string // of the command
	mage     []string // of the target; none if this mistake is impossible with it
	env      []string
	status   int
	accepted string // why the command may show a token that it does not know
}{
	{name: "user of the server", args: []string{"--server", "https://T@localhost/", "shop", "prod"}, mage: []string{"spiro:deploy", "shop", "prod", "-server=https://T@localhost/"}, status: 2},
	{name: "password of the server", args: []string{"--server", "https://u:T@localhost/", "shop", "prod"}, mage: []string{"spiro:check", "-server=https://u:T@localhost/"}, status: 2},
	{name: "server", args: []string{"--server", "T", "shop", "prod"}, mage: []string{"spiro:check", "-server=T"}, status: 2},
	{name: "server in the environment", env: []string{"SPIRO_URL=T"}, args: []string{"shop", "prod"}, mage: []string{"spiro:check"}, status: 2},
	{name: "query of the server", args: []string{"--server", "https://localhost/?t=T", "shop", "prod"}, mage: []string{"spiro:check", "-server=https://localhost/?t=T"}, status: 2},
	{name: "fragment of the server", args: []string{"--server", "https://localhost/#T", "shop", "prod"}, mage: []string{"spiro:check", "-server=https://localhost/#T"}, status: 2},
	{name: "port of the server", args: []string{"--server", "https://localhost:T/", "shop", "prod"}, mage: []string{"spiro:check", "-server=https://localhost:T/"}, status: 2},
	{
		name: "path of the server", args: []string{"--server", "URLT", "--insecure", "shop", "prod"}, mage: []string{"spiro:check", "-server=URLT", "-insecure"}, status: 3,
		accepted: "a path is shown with the URL, which says what does not answer",
	},
	{
		name: "host of the server", args: []string{"--server", "https://T/", "shop", "prod"}, mage: []string{"spiro:check", "-server=https://T/"}, status: 5,
		accepted: "that there is no such host cannot be said without its name",
	},
	{
		name: "scheme of the server", args: []string{"--server", "xT://h/", "shop", "prod"}, mage: []string{"spiro:check", "-server=xT://h/"}, status: 2,
		accepted: "that there is no such scheme cannot be said without its name",
	},
	{
		name: "project", args: []string{"--insecure", "T", "prod"}, mage: []string{"spiro:deploy", "T", "prod", "-insecure"}, status: 2,
		accepted: "it is a name that a project may have",
	},
	{
		name: "deployment", args: []string{"--insecure", "shop", "T"}, mage: []string{"spiro:deploy", "shop", "T", "-insecure"}, status: 2,
		accepted: "it is a name that a deployment may have",
	},
	{
		name: "project that cannot be", args: []string{"/T", "prod"}, mage: []string{"spiro:deploy", "/T", "prod"}, status: 2,
		accepted: "it says which name cannot be one",
	},
	{name: "surplus argument", args: []string{"shop", "prod", "T"}, status: 2},
	{name: "misspelt flag", args: []string{"--tokenn", "T", "shop", "prod"}, status: 2},
	{name: "misspelt flag with a value", args: []string{"--tokenn=T", "shop", "prod"}, status: 2},
	{name: "flag that mage does not have", mage: []string{"spiro:deploy", "-token=T", "shop", "prod"}, status: 2},
	{name: "token that looks like a flag", args: []string{"--token", "-T", "shop", "prod"}, status: 2},
	{
		name: "unknown flag", args: []string{"--T", "shop", "prod"}, status: 2,
		accepted: "that there is no such flag cannot be said without its name",
	},
	{
		name: "switch", args: []string{"--insecure=T", "shop", "prod"}, status: 2,
		accepted: "it says which value cannot be one",
	},
	{name: "timeout", args: []string{"--timeout", "T", "shop", "prod"}, status: 2, accepted: "it says which value cannot be one"},
	{name: "connect timeout", args: []string{"--connect-timeout", "T", "shop", "prod"}, status: 2, accepted: "it says which value cannot be one"},
	{
		name: "digest", args: []string{"--digest", "T", "shop", "prod"}, mage: []string{"spiro:bundle", "-digest=T"}, status: 2,
		accepted: "it says which value cannot be one",
	},
	{
		name: "report", args: []string{"--report", "T", "shop", "prod"}, mage: []string{"spiro:deploy", "shop", "prod", "-report=T"}, status: 2,
		accepted: "it says which value cannot be one",
	},
	{
		name: "file of a report", args: []string{"--report", "json=T/x", "shop", "prod"}, mage: []string{"spiro:deploy", "shop", "prod", "-report=json=T/x"}, status: 2,
		accepted: "that there is no such directory cannot be said without its name",
	},
	{
		name: "file of the token", args: []string{"--token-file", "T", "shop", "prod"}, mage: []string{"spiro:check", "-tokenFile=T"}, status: 2,
	},
	{
		name: "certificate", args: []string{"--ssl-cert", "T", "shop", "prod"}, mage: []string{"spiro:check", "-sslCert=T"}, status: 2,
		accepted: "that there is no such file cannot be said without its name",
	},
	{
		name: "bundle", args: []string{"--bundle", "T", "shop", "prod"}, mage: []string{"spiro:diff", "T", "T"}, status: 2,
		accepted: "that there is no such file cannot be said without its name",
	},
	{
		name: "output", args: []string{"--output", "T/x"}, mage: []string{"spiro:bundle", "-output=T/x"}, status: 2,
		accepted: "that there is no such directory cannot be said without its name",
	},
	{
		name: "artifact", args: []string{"--artifact", "T", "shop", "prod"}, mage: []string{"spiro:bundle", "-artifact=T"}, status: 2,
		accepted: "that there is no such file cannot be said without its name",
	},
	{
		name: "directory", args: []string{"--dir", "T", "shop", "prod"}, mage: []string{"spiro:bundle", "-dir=T"}, status: 2,
		accepted: "that there is no such directory cannot be said without its name",
	},
	{
		name: "source", args: []string{"--include-source", "T", "shop", "prod"}, mage: []string{"spiro:bundle", "-source=T"}, status: 2,
		accepted: "it says which value cannot be one",
	},
	{
		name: "exclude", args: []string{"--exclude", "[T", "shop", "prod"}, mage: []string{"spiro:bundle", "-exclude=[T"}, status: 2,
		accepted: "it says which pattern cannot be one",
	},
	{
		name: "git describe", args: []string{"--git-describe", "T", "shop", "prod"}, mage: []string{"spiro:bundle", "-gitDescribe=T"}, status: 2,
		accepted: "it says which value cannot be one",
	},
	{
		name: "time", env: []string{"SOURCE_DATE_EPOCH=T"}, args: []string{"shop", "prod"}, mage: []string{"spiro:bundle"}, status: 2,
		accepted: "it says which value cannot be one",
	},
	{name: "proxy that cannot be", env: []string{"HTTPS_PROXY=http://u:T @h/"}, args: []string{"shop", "prod"}, mage: []string{"spiro:check"}, status: 2},
	{name: "proxy that is not there", env: []string{"HTTPS_PROXY=http://T:T@127.0.0.1:1/"}, args: []string{"--server", "https://salt.invalid/", "shop", "prod"}, mage: []string{"spiro:check", "-server=https://salt.invalid/"}, status: 5},
	{name: "proxy that repeats it", env: []string{"HTTPS_PROXY=PROXY"}, args: []string{"--server", "https://salt.invalid/", "shop", "prod"}, mage: []string{"spiro:check", "-server=https://salt.invalid/"}, status: 5, accepted: "what a proxy says of its own password is not known to be one"},
	{
		name: "two tokens", args: []string{"--token", "T", "--token-file", "x", "shop", "prod"}, status: 2,
	},
}

// TestMistakes: a token in the wrong place is not shown if it is known as one, or if
// people often put tokens there.
func TestMistakes(t *testing.T) {
	t.Parallel()
	for i, tt := range mistakes {
		for front, args := range map[string][]string{"command": tt.args, "mage": tt.mage} {
			if args == nil {
				continue
			}
			t.Run(front+"/"+tt.name+"/known", func(t *testing.T) {
				t.Parallel()
				testMistake(t, i, front, args, true)
			})
			if tt.accepted == "" {
				t.Run(front+"/"+tt.name+"/not known", func(t *testing.T) {
					t.Parallel()
					testMistake(t, i, front, args, false)
				})
			}
		}
	}
}

func testMistake(t *testing.T, mistake int, front string, args []string, known bool) {
	t.Helper()
	tt := mistakes[mistake]
	server := spirotest.New(t, spirotest.Options{Minions: []spirotest.Minion{{ID: "web1"}}})
	secret := server.Token(time.Hour, "shop")
	proxy := newProxy(t)
	fill := strings.NewReplacer("URL", server.URL(), "PROXY", strings.Replace(proxy.URL, "://", "://u:"+secret+"@", 1), "T", secret)
	j := job{path: program.Command(t), dir: project(t), secrets: sent(t, secret), env: []string{"SPIRO_URL=" + server.URL(), "NO_PROXY="}}
	if front == "mage" {
		j.path = mage(t)
	}
	for _, a := range args {
		j.args = append(j.args, fill.Replace(a))
	}
	switch {
	case known:
		j.env = append(j.env, "SPIRO_TOKEN="+secret)
	default:
		j.env = append(j.env, "SPIRO_TOKEN="+server.Token(time.Hour, "shop", "blog"))
		j.secrets = own(j.secrets) // the two have the same beginning
	}
	for _, kv := range tt.env {
		name, value, _ := strings.Cut(kv, "=")
		j.env = append(j.env, name+"="+strings.ReplaceAll(fill.Replace(value), "SPIRO_URL", ""))
	}
	r := j.run(t)
	if known && r.status != tt.status {
		r.want(t, tt.status, "", j.secrets...)
	}
}

// newProxy starts a proxy that repeats its input.
func newProxy(t *testing.T) *httptest.Server {
	t.Helper()
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		said := r.Header.Get("Proxy-Authorization")
		_, _ = conn.Write([]byte("HTTP/1.1 407 " + said + "\r\nX: " + said + "\r\nContent-Length: 0\r\n\r\n"))
		_ = conn.Close()
	}))
	t.Cleanup(proxy.Close)
	return proxy
}

// TestNarrower: the target that makes a token writes it only to the file.
func TestNarrower(t *testing.T) {
	t.Parallel()
	server := spirotest.New(t, spirotest.Options{})
	secret := server.Token(time.Hour)
	secrets := sent(t, secret)
	path := filepath.Join(t.TempDir(), "narrower")
	j := job{
		path: mage(t), dir: project(t), secrets: secrets, env: []string{"SPIRO_TOKEN=" + secret},
		args: []string{"-v", "spiro:token", "-project=shop", "-output=" + path},
	}
	j.run(t).want(t, 0, "for shop", secrets...)
	if content := strings.TrimSpace(read(t, path)); content != secrets[1] {
		t.Error("the token that was written is not the one that was looked for")
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("others may read the file: %v", err)
	}
}
