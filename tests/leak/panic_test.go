package leak_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"testing"

	"github.com/spirostack/spirodeploy/spirodeploy"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

const (
	panicEnv  = "LEAK_PANIC" // makes this binary panic, and says with what
	secretEnv = "LEAK_SECRET"
)

// stuff is what a program that uses the library has in its hands when it panics.
type stuff struct {
	tok    token.Token
	opts   spirodeploy.Options
	client *client.Client
	rep    *report.Report
	err    error
}

// panics are the values that this binary can panic with.
var panics = map[string]func(stuff) any{
	"token":    func(s stuff) any { return s.tok },
	"pointer":  func(s stuff) any { return &s.tok },
	"options":  func(s stuff) any { return s.opts },
	"text":     func(s stuff) any { return fmt.Sprintf("%v %+v %#v", s.opts, s.opts, s) },
	"client":   func(s stuff) any { return s.client },
	"report":   func(s stuff) any { return s.rep },
	"error":    func(s stuff) any { return fmt.Errorf("%+v: %w", s.tok, s.err) },
	"redacted": func(s stuff) any { return token.Know(s.tok.Reveal()).Error(errors.New("got " + s.tok.Reveal())) },
	"log":      func(s stuff) any { log.Panicf("%v %#v", s.client, s); return nil },
	"nil":      func(stuff) any { return *(*error)(nil) },
}

// playPanic is the main function of a program that panics with tokens all over
// its stack and in another goroutine's.
func playPanic(kind string) {
	tok, err := token.Parse(os.Getenv(secretEnv))
	if err != nil {
		log.Fatal(err)
	}
	opts := spirodeploy.Options{Project: "shop", Deployment: "prod", Server: client.Options{Server: "http://127.0.0.1:1/", Insecure: true, Token: tok}}
	opts.Bundle.Dir = os.TempDir()
	c, err := client.New(opts.Server)
	if err != nil {
		log.Fatal(err)
	}
	inside := func(u report.Update) {
		if u.Kind != report.Ended {
			return
		}
		go func() { select {} }()
		fall(kind, tok.Reveal(), stuff{tok, opts, c, report.New(report.Request{}), u.Err})
	}
	opts.Watch = inside
	_, _ = spirodeploy.Deploy(context.Background(), opts)
	log.Fatal("it did not panic")
}

// fall panics in a function whose argument is the secret itself.
//
//go:noinline
func fall(kind, secret string, s stuff) {
	defer func(shown string) {
		if shown == "" {
			fmt.Println(shown)
		}
	}(secret)
	panic(panics[kind](s))
}

// TestPanics: a program that panics with the token in its hands does not show it.
func TestPanics(t *testing.T) {
	t.Parallel()
	for kind := range panics {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			secret := opaque()
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), panicEnv+"="+kind, secretEnv+"="+secret, "GOTRACEBACK=all", "TMPDIR="+t.TempDir())
			out, err := cmd.CombinedOutput()
			if err == nil || !bytes.Contains(out, []byte("goroutine ")) || !bytes.Contains(out, []byte("leak_test.fall(")) {
				t.Errorf("it did not panic: %v\n%s", err, shown(string(out), secret))
			}
			clean(t, "the last words", newSearch(secret), out)
		})
	}
}
