package command

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/internal/cli"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// FuzzCommandLine: a command line is taken, or refused with status 2 in words
// that do no harm and do not show the token.
func FuzzCommandLine(f *testing.F) {
	const secret = "MDAxY2xvY2F0aW9uIGh0dHBzOi8vdG9rZW4"
	for _, seed := range []string{
		"", "shop\x00prod", "shop\x00prod\x00" + secret, "--" + secret, "-" + secret, "shop\x00prod\x00--timeout\x00" + secret, "shop\x00--connect-timeout=" + secret,
		"--highstate=" + secret, "--no-highstate\x00shop\x00prod\x00--dry-run=" + secret, "--version", "--help\x00" + secret, "--output", "--output=-\x00--", "--", "--report=json=-\x00a\x00b",
		"--artifact=a,b\x00--artifact\x00c=d\x00x\x00y", "--token=" + secret + "\x00--tokn=" + secret, "a\x1b[2J\x00b\u202e\x00c", "--\x1b[2J", "--timeout=\xff1s\x00a\x00b", "--timeout=9999999999999h", "--server\x00" + secret, "token\x00--project\x00a", "check\x00prod", "--\x00check\x00prod", "init\x00--dir",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		args := strings.Split(line, "\x00") // which no argument can have in it
		var said bytes.Buffer
		world := cli.World{Getenv: func(string) string { return secret }, Stdout: &said, Stderr: &said}
		parsed, exit := parse(args, world)
		if sanitize.Text(said.String()) != said.String() {
			t.Errorf("it says %q", &said)
		}
		for i := 0; i+15 <= len(secret); i++ {
			if strings.Contains(said.String(), secret[i:i+15]) {
				t.Fatalf("it shows a part of the token: %q", &said)
			}
		}
		flags, ok := parsed.(*flags)
		if !ok { // a verb deploys nothing
			return
		}
		switch s := flags.Settings; {
		case exit == goOn && said.Len() > 0:
			t.Errorf("it goes on, and says %q", &said)
		case exit == goOn && s.Output == "" && !s.Blank() && (s.Project == "" || s.Deployment == ""):
			t.Errorf("it would deploy %q/%q", s.Project, s.Deployment)
		case exit == goOn, exit == 0 && said.Len() > 0: // --help, --version
		case exit != report.Invalid.ExitStatus() || said.Len() == 0:
			t.Errorf("status %d, it says %q", exit, &said)
		}
	})
}
