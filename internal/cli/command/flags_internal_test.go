package command

import (
	"io"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/internal/cli"
)

// TestVerbatim: texts come through as they are, also file names that are not UTF-8.
func TestVerbatim(t *testing.T) {
	t.Parallel()
	const odd = "a\xffb\u2028<&>\"\\c,d"
	world := cli.World{Getenv: func(string) string { return "" }, Stdout: io.Discard, Stderr: io.Discard}
	line, exit := parse([]string{"--dir", odd, "--artifact=" + odd, "--artifact", "n=" + odd, "--token-file=" + odd, odd, odd}, world)
	f, ok := line.(*flags)
	if exit != goOn || !ok {
		t.Fatalf("it ends with %d", exit)
	}
	for what, got := range map[string]string{
		"--dir": f.Dir, "--artifact": f.Artifacts[0], "--artifact n=": f.Artifacts[1][2:], "--token-file": f.TokenFile, "PROJECT": f.Project, "DEPLOYMENT": f.Deployment,
	} {
		if got != odd {
			t.Errorf("%s is %q, want %q", what, got, odd)
		}
	}
	line, exit = parse([]string{"init", "--dir=" + odd}, world)
	if v, ok := line.(*initFlags); exit != goOn || !ok || v.Dir == nil || *v.Dir != odd {
		t.Errorf("init: %d, %+v", exit, line)
	}
}

// TestMistakes: what people type in the place of a flag or a command gets a hint, and no
// argument is repeated that may be a token.
func TestMistakes(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"help":                           "if it is meant as a command, write spiro-deploy --help",
		"version":                        "write spiro-deploy --version",
		"bundle":                         "write spiro-deploy --output FILE",
		"check":                          "", // a command
		"--insecure check":               "for the command check, write check before its flags",
		"shop/prod":                      "write shop prod",
		"shop":                           "is a variable not set?",
		"deploy shop prod":               "to deploy, write spiro-deploy without the word deploy",
		"diff a.tar b.tar":               "instead of a command diff, write spiro-deploy --diff FILE",
		"--artifact a b shop prod":       "--artifact takes one path, and is repeated for others",
		"shop prod secret":               "there are more arguments than PROJECT and DEPLOYMENT (",
		"check secret":                   "--project names a project; to deploy a project of this name, write spiro-deploy -- check DEPLOYMENT",
		"token secret":                   "--project names a project",
		"init secret":                    "--dir names the directory",
		"--connect-timeout=x shop prod":  `--connect-timeout "x": not a duration, such as 30s`,
		"check --connect-timeout=x":      `--connect-timeout "x": not a duration`,
		"--connect-timeout 3s shop prod": "",
		"help prod":                      "", // a project
	} {
		var stderr strings.Builder
		_, exit := parse(strings.Fields(line), cli.World{Getenv: func(string) string { return "" }, Stdout: io.Discard, Stderr: &stderr})
		if said := stderr.String(); (exit == goOn) != (want == "") || !strings.Contains(said, want) || strings.Contains(said, "secret") {
			t.Errorf("%s: %d, %q, want %q", line, exit, said, want)
		}
	}
}
