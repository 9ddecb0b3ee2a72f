package main

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/spirostack/spirodeploy/internal/dev/pace"
	"github.com/spirostack/spirodeploy/internal/dev/streams"
	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
)

var update = flag.Bool("update", false, "write what is compared with what is printed")

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"spiro-deploy": main}) }

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Setup: func(e *testscript.Env) error {
			e.Values[serverKey] = &current{}
			e.Setenv("SOON", pace.Soon().String())
			// Nothing of this machine's git configuration, and a name for commits.
			e.Setenv("GIT_CONFIG_NOSYSTEM", "1")
			e.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
			for _, who := range []string{"AUTHOR", "COMMITTER"} {
				e.Setenv("GIT_"+who+"_NAME", "Test")
				e.Setenv("GIT_"+who+"_EMAIL", "test@example.org")
				e.Setenv("GIT_"+who+"_DATE", "2026-01-01T00:00:00Z")
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"server":   startServer,
			"posts":    countPosts,
			"deployed": linkDeployed,
			"status":   wantStatus,
			"asnobody": asNobody, // on Unix
		},
	})
}

const serverKey = "server"

// startServer starts a server: "server [-replay STREAM] [-tls] [-silent] [-fail] [-slow] MINION…". It sets
// SPIRO_URL and SPIRO_TOKEN, a token for the project shop, BLOG_TOKEN and, with
// -tls, CERT. What the server before had is in PREVIOUS_URL and so on.
func startServer(ts *testscript.TestScript, neg bool, args []string) {
	flags := flag.NewFlagSet("server", flag.ContinueOnError)
	tls := flags.Bool("tls", false, "")
	fail := flags.Bool("fail", false, "the last minion fails")
	silent := flags.Bool("silent", false, "the last minion never reports")
	replay := flags.String("replay", "", "name of a recorded stream, which is all that the server sends")
	slow := flags.Bool("slow", false, "the last minion takes an hour")
	if err := flags.Parse(args); err != nil || neg {
		ts.Fatalf("usage: server [-replay stream] [-tls] [-fail] [-silent] [-slow] minion...")
	}
	var minions []spirotest.Minion
	for i, id := range flags.Args() {
		m := spirotest.Minion{ID: id}
		if i == flags.NArg()-1 {
			m.Silent = *silent
			if *slow {
				m.Delay = time.Hour
			}
			if *fail {
				m.Result = spirotest.States(spirotest.State{SLS: "web", ID: "broken", Function: "cmd.run", Name: "false", Result: spirotest.Failed, Comment: "it broke"})
			}
		}
		minions = append(minions, m)
	}
	server, err := spirotest.Start(spirotest.Options{TLS: *tls, Minions: minions})
	ts.Check(err)
	ts.Defer(func() { _ = server.Close() })
	if *replay != "" {
		server.Replay(streams.Read(*replay))
	}
	for _, name := range []string{"URL", "TOKEN"} {
		ts.Setenv("PREVIOUS_"+name, ts.Getenv("SPIRO_"+name))
	}
	ts.Setenv("SPIRO_URL", server.URL())
	ts.Setenv("SPIRO_TOKEN", server.Token(time.Hour, "shop"))
	ts.Setenv("BLOG_TOKEN", server.Token(time.Hour, "blog"))
	if *tls {
		ts.Setenv("CERT", ts.MkAbs("server.pem"))
		ts.Check(os.WriteFile(ts.MkAbs("server.pem"), server.CertPEM(), 0o600))
	}
	of(ts).server = server
}

// countPosts compares the number of POSTs that arrived: "posts N".
func countPosts(ts *testscript.TestScript, _ bool, args []string) {
	got := 0
	for _, r := range of(ts).server.Requests() {
		if r.Method == "POST" {
			got++
		}
	}
	if want, err := strconv.Atoi(args[0]); err != nil || got != want {
		ts.Fatalf("%d POSTs, want %s", got, args[0])
	}
}

// linkDeployed makes a deployment on the server visible: "deployed PROJECT DEPLOYMENT DIR".
func linkDeployed(ts *testscript.TestScript, neg bool, args []string) {
	d, ok := of(ts).server.Deployment(args[0], args[1])
	if ok == neg {
		ts.Fatalf("deployed: %v", ok)
	}
	if ok {
		ts.Check(os.Symlink(d.Dir, ts.MkAbs(args[2])))
	}
}

// wantStatus runs a command and compares its exit status: "status N COMMAND…".
func wantStatus(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	compareStatus(ts, args[0], err)
}

func compareStatus(ts *testscript.TestScript, want string, err error) {
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(got) != want {
		ts.Fatalf("exit status %d, want %s\n%s%s", got, want, ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	}
}

// lookPath finds a command on the script's own PATH.
func lookPath(ts *testscript.TestScript, name string) string {
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		path := filepath.Join(dir, name)
		if runtime.GOOS == "windows" {
			path += ".exe"
		}
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return name
}

// current holds the server of a script.
type current struct{ server *spirotest.Server }

func of(ts *testscript.TestScript) *current { return ts.Value(serverKey).(*current) }
