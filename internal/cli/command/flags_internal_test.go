package command

import (
	"io"
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
