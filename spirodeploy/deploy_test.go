package spirodeploy_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/spirostack/spirodeploy/internal/dev/pace"
	"github.com/spirostack/spirodeploy/spirodeploy"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

// project makes a project directory from "path: content" pairs.
func project(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if to, ok := strings.CutPrefix(content, "->"); ok {
			if err := os.Symlink(to, path); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

var states = map[string]string{
	"_salt/spirotop.sls": "prod:\n  '*': [web]\n",
	"_salt/web.sls":      "hello:\n  test.nop: []\n",
}

// options deploys a project to a server.
func options(t *testing.T, server *spirotest.Server, dir string) spirodeploy.Options {
	t.Helper()
	tok, err := token.Parse(server.Token(time.Hour, "shop"))
	if err != nil {
		t.Fatal(err)
	}
	return spirodeploy.Options{
		Project: "shop", Deployment: "prod", Bundle: bundle.Options{Dir: dir},
		Server: client.Options{Server: server.URL(), Token: tok, Certificate: server.CertPEM(), Insecure: server.CertPEM() == nil},
	}
}

func posts(server *spirotest.Server) (n int) {
	for _, r := range server.Requests() {
		if r.Method == "POST" {
			n++
		}
	}
	return n
}

// TestDeploy goes through every way for a deployment to end that spirotest can play.
func TestDeploy(t *testing.T) {
	t.Parallel()
	failing := spirotest.States(spirotest.State{SLS: "web", ID: "bad", Function: "test.nop", Result: spirotest.Failed})
	for _, tt := range []struct {
		name    string
		minions []spirotest.Minion
		stream  string
		change  func(*spirodeploy.Options)
		verdict report.Verdict
		posts   int
		says    string
	}{
		{name: "all well", minions: []spirotest.Minion{{ID: "a"}, {ID: "b"}}, verdict: report.Success, posts: 1, says: "2 minions"},
		{name: "a state fails", minions: []spirotest.Minion{{ID: "a", Result: failing}, {ID: "b"}}, verdict: report.MinionFailed, posts: 1, says: "(a)"},
		{name: "no answer", minions: []spirotest.Minion{{ID: "a", Result: spirotest.NoAnswer()}}, verdict: report.MinionFailed, posts: 1, says: "(a)"},
		{name: "does not compile", minions: []spirotest.Minion{{ID: "a", Result: spirotest.NotCompiled("bad")}}, verdict: report.MinionFailed, posts: 1, says: "(a)"},
		{name: "does not report", minions: []spirotest.Minion{{ID: "a"}, {ID: "b", Silent: true}}, verdict: report.Unknown, posts: 1, says: "(b)"},
		{name: "no minion", verdict: report.MinionFailed, posts: 1, says: "no minion is concerned"},
		{
			name: "no minion, tolerated", verdict: report.Success, posts: 1, says: "no minion is concerned",
			change: func(o *spirodeploy.Options) { o.MissingMinions = report.Warn },
		},
		{
			name: "no minion, one required", verdict: report.MinionFailed, posts: 1, says: "no minion is concerned",
			change: func(o *spirodeploy.Options) { o.RequireMinions = true },
		},
		{
			name: "no highstate", minions: []spirotest.Minion{{ID: "a", Result: failing}}, verdict: report.Success, posts: 1, says: "without a highstate",
			change: func(o *spirodeploy.Options) { o.NoHighstate = true },
		},
		{name: "exception", stream: "event: exception\ndata: {\"msg\": \"boom\\n\"}\n\n", verdict: report.ServerFailed, posts: 1, says: "boom"},
		{name: "stream ends early", stream: "event: deploy-bundle\ndata: {\"msg\": \"x\"}\n\n", verdict: report.Unknown, posts: 1, says: "may be going on"},
		{
			name: "another project", verdict: report.Invalid, says: "the token is not for the project blog but for shop",
			change: func(o *spirodeploy.Options) { o.Project = "blog" },
		},
		{
			name: "bad token", verdict: report.Refused, says: "not valid here",
			change: func(o *spirodeploy.Options) { o.Server.Token, _ = token.Parse("bogus-token") },
		},
		{
			name: "dry run", minions: []spirotest.Minion{{ID: "a"}}, verdict: report.Success, says: "nothing was sent",
			change: func(o *spirodeploy.Options) { o.DryRun = true },
		},
		{
			name: "wrong digest", verdict: report.Invalid, posts: 1, says: "another digest",
			change: func(o *spirodeploy.Options) { o.Bundle.Digest = digest.FromString("something else") },
		},
		{
			name: "everything wrong", verdict: report.Invalid, says: "5 problems",
			change: func(o *spirodeploy.Options) {
				o.Project, o.Deployment, o.Server.Server = "a/b", "..", "ftp://x"
				o.Server.Token, o.Bundle.Dir = token.Token{}, "no-such-directory"
			},
		},
		{
			name: "the token as a name", verdict: report.Invalid, says: "  - project name: it contains the token",
			change: func(o *spirodeploy.Options) { o.Project = o.Server.Token.Reveal() },
		},
		{
			name: "time is up", minions: []spirotest.Minion{{ID: "a", Delay: time.Hour}}, verdict: report.Unknown, posts: 1, says: "time for the whole run is up",
			change: func(o *spirodeploy.Options) { o.Timeout = pace.Soon() },
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := spirotest.New(t, spirotest.Options{Minions: tt.minions})
			if tt.stream != "" {
				server.Replay([]byte(tt.stream))
			}
			opts := options(t, server, project(t, states))
			if tt.change != nil {
				tt.change(&opts)
			}
			rep, err := spirodeploy.Deploy(t.Context(), opts)
			if rep.Verdict != tt.verdict || !strings.Contains(rep.Targets[0].Summary, tt.says) {
				t.Errorf("%s: %s; want %s that says %q", rep.Verdict, rep.Targets[0].Summary, tt.verdict, tt.says)
			}
			if (err == nil) != (tt.verdict == report.Success) {
				t.Errorf("error %v with verdict %s", err, rep.Verdict)
			}
			if n := posts(server); n != tt.posts {
				t.Errorf("%d POSTs, want %d", n, tt.posts)
			}
			_, deployed := server.Deployment("shop", "prod")
			if deployed && (tt.verdict == report.Invalid || tt.verdict == report.Refused || opts.DryRun) {
				t.Error("something was deployed all the same")
			}
		})
	}
}

// TestOneDigest checks that bundle, upload and server agree on the bytes.
func TestOneDigest(t *testing.T) {
	t.Parallel()
	server := spirotest.New(t, spirotest.Options{TLS: true, Minions: []spirotest.Minion{{ID: "web1"}}})
	dir := project(t, states)
	b, err := bundle.New(t.Context(), bundle.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	want, err := b.Digest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	opts := options(t, server, dir)
	opts.Bundle.Digest = want
	rep, err := spirodeploy.Deploy(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	d, _ := server.Deployment("shop", "prod")
	if rep.Targets[0].Bundle.Digest != want || d.Digest != want.String() {
		t.Errorf("digests %s, %s, want %s", rep.Targets[0].Bundle.Digest, d.Digest, want)
	}
	// The same bundle from a file.
	path := filepath.Join(t.TempDir(), "b.tar")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.WriteTo(f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	opts.File = path
	if rep, err = spirodeploy.Deploy(t.Context(), opts); err != nil || rep.Targets[0].Bundle.Digest != want {
		t.Errorf("from a file: %s, %v", rep.Targets[0].Bundle.Digest, err)
	}
	opts.Bundle.Digest = digest.FromString("something else")
	before := len(server.Requests())
	if rep, err = spirodeploy.Deploy(t.Context(), opts); rep.Verdict != report.Invalid || !errors.Is(err, bundle.ErrDigest) {
		t.Errorf("from a file with another digest: %v", err)
	}
	for _, malformed := range []digest.Digest{"sha256:0", digest.SHA512.FromString("x"), digest.Digest(strings.ToUpper(want.String()))} {
		opts.Bundle.Digest = malformed
		if rep, err = spirodeploy.Deploy(t.Context(), opts); rep.Verdict != report.Invalid || errors.Is(err, bundle.ErrDigest) || !strings.Contains(fmt.Sprint(err), "malformed") {
			t.Errorf("from a file with the digest %s: %v", malformed, err)
		}
	}
	if n := len(server.Requests()); n != before {
		t.Errorf("%d requests for a file with another digest", n-before)
	}
}

// TestChangedFile changes a file between the walk and the upload.
func TestChangedFile(t *testing.T) {
	t.Parallel()
	server := spirotest.New(t, spirotest.Options{})
	dir := project(t, states)
	opts := options(t, server, dir)
	opts.Watch = func(u report.Update) {
		if u.Kind == report.Began && u.Stage == report.Uploading {
			_ = os.WriteFile(filepath.Join(dir, "_salt", "web.sls"), []byte("other: {}\n"), 0o644)
		}
	}
	rep, err := spirodeploy.Deploy(t.Context(), opts)
	if rep.Verdict != report.Invalid || !errors.Is(err, bundle.ErrChanged) || !strings.Contains(err.Error(), "nothing was deployed") {
		t.Errorf("%s: %v", rep.Verdict, err)
	}
	if _, ok := server.Deployment("shop", "prod"); ok {
		t.Error("it was deployed")
	}
}

// TestInterrupted ends the context at each stage.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	for _, stage := range []report.Stage{report.Bundling, report.Checking, report.Uploading, report.Deploying, report.Highstate} {
		t.Run(string(stage), func(t *testing.T) {
			t.Parallel()
			server := spirotest.New(t, spirotest.Options{Minions: []spirotest.Minion{{ID: "a", Delay: time.Hour}}})
			opts := options(t, server, project(t, states))
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			opts.Watch = func(u report.Update) {
				if u.Kind == report.Began && u.Stage == stage {
					cancel(report.ErrInterrupted)
				}
			}
			rep, err := spirodeploy.Deploy(ctx, opts)
			if rep.Verdict != report.Interrupted || rep.ExitStatus != 130 || !errors.Is(err, report.ErrInterrupted) {
				t.Errorf("%s (%d): %v", rep.Verdict, rep.ExitStatus, err)
			}
		})
	}
}

// TestWatch checks that stages come in order, and that each ends once.
func TestWatch(t *testing.T) {
	t.Parallel()
	server := spirotest.New(t, spirotest.Options{Minions: []spirotest.Minion{{ID: "a"}}})
	opts := options(t, server, project(t, states))
	var got []string
	opts.Watch = func(u report.Update) {
		switch u.Kind {
		case report.Began, report.Ended:
			got = append(got, fmt.Sprintf("%s %s", u.Stage, u.Kind))
		case report.Happened:
			got = append(got, u.Event.Name)
			if (u.Minion != nil) != (u.Event.Name == client.HighstateUpdate) || u.Minion != nil && u.Minion.Status != highstate.Succeeded {
				t.Errorf("minion %+v with %s", u.Minion, u.Event.Name)
			}
		case report.Progressed, report.Warned:
		}
		if u.Time.IsZero() {
			t.Error("an update without a time")
		}
	}
	if _, err := spirodeploy.Deploy(t.Context(), opts); err != nil {
		t.Fatal(err)
	}
	const want = "bundle began, bundle ended, check began, check ended, upload began, upload ended, " +
		"deploy began, deploy-bundle, deploy ended, highstate began, highstate-calc, highstate-start, highstate-update, highstate-finish, highstate ended"
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("updates\n got %s\nwant %s", s, want)
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	opts := options(t, spirotest.New(t, spirotest.Options{}), project(t, states))
	opts.Server.Server = "http://127.0.0.1:1/" // a port that was free a moment ago may be another test's now
	rep, err := spirodeploy.Deploy(t.Context(), opts)
	if rep.Verdict != report.Unreachable || !strings.Contains(err.Error(), "nothing listens on") {
		t.Errorf("%s: %v", rep.Verdict, err)
	}
}

// TestProblems checks that Deploy reports the problems of the caller with its own.
func TestProblems(t *testing.T) {
	t.Parallel()
	server := spirotest.New(t, spirotest.Options{})
	opts := options(t, server, project(t, states))
	own := errors.New("found by the caller")
	opts.Problems = []error{own, nil}
	rep, err := spirodeploy.Deploy(t.Context(), opts)
	if rep.Verdict != report.Invalid || !errors.Is(err, own) {
		t.Errorf("%s: %v", rep.Verdict, err)
	}
	opts.Project, opts.Bundle.Dir = "", "no-such-directory"
	if _, err := spirodeploy.Deploy(t.Context(), opts); !strings.Contains(err.Error(), "3 problems") {
		t.Errorf("%v, want 3 problems", err)
	}
	if n := len(server.Requests()); n > 0 {
		t.Errorf("%d requests were sent", n)
	}
}

// TestNumbers checks that Deploy takes no number that makes no sense for the lack of a limit.
func TestNumbers(t *testing.T) {
	t.Parallel()
	server := spirotest.New(t, spirotest.Options{})
	for want, change := range map[string]func(*spirodeploy.Options){
		"least number of minions: -1 is not between 0 and 100000: correct Options.MinMinions":     func(o *spirodeploy.Options) { o.MinMinions = -1 },
		"least number of minions: 100001 is not between 0 and 100000: correct Options.MinMinions": func(o *spirodeploy.Options) { o.MinMinions = client.MaxMinions + 1 },
		"number of targets at once: -1 is negative: correct Options.MaxParallel":                  func(o *spirodeploy.Options) { o.MaxParallel = -1 },
		"time for the whole run: -1s is negative: correct Options.Timeout":                        func(o *spirodeploy.Options) { o.Timeout = -time.Second },
	} {
		opts := options(t, server, project(t, states))
		change(&opts)
		rep, err := spirodeploy.Deploy(t.Context(), opts)
		if err == nil || rep.Verdict != report.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", rep.Verdict, err, want)
		}
	}
	if n := len(server.Requests()); n > 0 {
		t.Errorf("%d requests were sent", n)
	}
}

// TestTooLarge checks that Deploy warns of a bundle that the server cuts off.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	for _, tls := range []bool{false, true} {
		server := spirotest.New(t, spirotest.Options{TLS: tls})
		opts := options(t, server, project(t, states))
		limit, want := int64(client.PlainLimit), "over plain HTTP, SpiroFS takes no more than 100.0 MiB (104857600 bytes)"
		if tls {
			limit, want = client.TLSLimit, "over HTTPS, SpiroFS takes no more than 10.0 GiB (10737418240 bytes)"
		}
		opts.Bundle.Scanners = []bundle.Scanner{func(context.Context, string, func(string) bool) iter.Seq2[bundle.Entry, error] {
			return func(yield func(bundle.Entry, error) bool) {
				yield(bundle.Entry{Name: "large", Size: limit, Open: func() (io.ReadCloser, error) { return nil, errors.New("it was read") }}, nil)
			}
		}}
		opts.Strict = true // sends nothing
		rep, err := spirodeploy.Deploy(t.Context(), opts)
		if err == nil || rep.Verdict != report.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", rep.Verdict, err, want)
		}
	}
}

// TestToken checks that Deploy does not send a token that cannot be right, and narrows
// others to the project unless told not to.
func TestToken(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		make    func(*spirotest.Server) string
		full    bool
		says    string
		allowed string // of the projects shop and blog, which the token that arrives allows
	}{
		{"expired", func(s *spirotest.Server) string { return s.Token(-time.Hour, "shop") }, false, "has expired", ""},
		{"another project", func(s *spirotest.Server) string { return s.Token(time.Hour, "blog") }, false, "not for the project shop but for blog", ""},
		{"narrowed", func(s *spirotest.Server) string { return s.Token(time.Hour) }, false, "", "shop"},
		{"narrowed from two", func(s *spirotest.Server) string { return s.Token(0, "shop", "blog") }, false, "", "shop"},
		{"whole", func(s *spirotest.Server) string { return s.Token(time.Hour) }, true, "", "shop blog"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := spirotest.New(t, spirotest.Options{Minions: []spirotest.Minion{{ID: "web1"}}})
			opts := options(t, server, project(t, states))
			opts.FullToken = tt.full
			var err error
			if opts.Server.Token, err = token.Parse(tt.make(server)); err != nil {
				t.Fatal(err)
			}
			rep, err := spirodeploy.Deploy(t.Context(), opts)
			if tt.says != "" {
				if rep.Verdict != report.Invalid || !strings.Contains(err.Error(), tt.says) || len(server.Requests()) > 0 {
					t.Errorf("%s, %d requests: %v", rep.Verdict, len(server.Requests()), err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range server.Requests() {
				arrived, err := token.Parse(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
				if err != nil {
					t.Fatal(err)
				}
				rights, err := arrived.Rights()
				if err != nil {
					t.Fatal(err)
				}
				var allowed []string
				for _, p := range []string{"shop", "blog"} {
					if rights.Allows(p) {
						allowed = append(allowed, p)
					}
				}
				if got := strings.Join(allowed, " "); got != tt.allowed {
					t.Errorf("the token of the %s is for %s, want %s", r.Method, got, tt.allowed)
				}
			}
		})
	}
}

// TestOtherReason ends the context with a cause of the caller.
func TestOtherReason(t *testing.T) {
	t.Parallel()
	server := spirotest.New(t, spirotest.Options{Minions: []spirotest.Minion{{ID: "a", Delay: time.Hour}}})
	for _, stage := range []report.Stage{report.Bundling, report.Checking, report.Highstate} {
		opts := options(t, server, project(t, states))
		ctx, cancel := context.WithCancelCause(t.Context())
		reason := errors.New("the build was superseded")
		opts.Watch = func(u report.Update) {
			if u.Kind == report.Began && u.Stage == stage {
				cancel(reason)
			}
		}
		rep, err := spirodeploy.Deploy(ctx, opts)
		cancel(nil)
		if rep.Verdict != report.Interrupted || !errors.Is(err, reason) {
			t.Errorf("%s: %s: %v", stage, rep.Verdict, err)
		}
	}
}

// TestPulse checks that the watcher is called while a stage goes on, and not after the
// run.
func TestPulse(t *testing.T) {
	t.Parallel()
	server := spirotest.New(t, spirotest.Options{Minions: []spirotest.Minion{{ID: "web1", Delay: time.Hour}}})
	opts := options(t, server, project(t, states))
	opts.Pulse = 5 * time.Millisecond
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	waited, over := map[report.Stage]int{}, false
	opts.Watch = func(u report.Update) {
		if over {
			t.Errorf("an update after the end: %+v", u)
		}
		if u.Kind == report.Waited {
			waited[u.Stage]++
			if u.Stage == report.Highstate {
				cancel(report.ErrInterrupted)
			}
		}
	}
	rep, _ := spirodeploy.Deploy(ctx, opts) // it ends when the minion is heard to work
	over = true
	if rep.Verdict != report.Interrupted || waited[report.Highstate] == 0 {
		t.Errorf("%s; while a minion worked, %v was heard", rep.Verdict, waited)
	}
}
