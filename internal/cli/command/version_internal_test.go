package command

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/internal/cli"
)

func TestVersionText(t *testing.T) {
	t.Parallel()
	setting := func(key, value string) debug.BuildSetting { return debug.BuildSetting{Key: key, Value: value} }
	const hash = "0123456789abcdef0123456789abcdef01234567"
	clean := []debug.BuildSetting{setting("vcs.revision", hash), setting("vcs.modified", "false")}
	dirty := []debug.BuildSetting{setting("vcs.revision", hash), setting("vcs.modified", "true")}
	tail := "go:       go1.99\nplatform: " + runtime.GOOS + "/" + runtime.GOARCH + "\ndigest:   sha256:ab\n"
	for name, tt := range map[string]struct {
		main     debug.Module
		settings []debug.BuildSetting
		want     string
	}{
		"go build":        {debug.Module{Version: "v1.2.3"}, clean, "spiro-deploy v1.2.3\ncommit:   0123456789ab\n" + tail},
		"modified":        {debug.Module{Version: "v1.2.3+dirty"}, dirty, "spiro-deploy v1.2.3+dirty\ncommit:   0123456789ab (modified)\n" + tail},
		"go install":      {debug.Module{Version: "v1.2.3", Sum: "h1:cd="}, nil, "spiro-deploy v1.2.3\nmodule:   h1:cd=\n" + tail},
		"no repository":   {debug.Module{Version: "(devel)"}, nil, "spiro-deploy (devel)\n" + tail},
		"nothing at hand": {debug.Module{}, nil, "spiro-deploy (unknown version)\n" + tail},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := versionText(&debug.BuildInfo{GoVersion: "go1.99", Main: tt.main, Settings: tt.settings}, "sha256:ab")
			if got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func TestVersionFlag(t *testing.T) {
	t.Parallel()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	_, exit := parse([]string{"--version"}, cli.World{Getenv: func(string) string { return "" }, Stdout: &stdout, Stderr: &stderr})
	want := fmt.Sprintf("digest:   sha256:%x\n", sha256.Sum256(content))
	if exit != 0 || !strings.HasPrefix(stdout.String(), "spiro-deploy ") || !strings.HasSuffix(stdout.String(), want) {
		t.Errorf("exit status %d, output %q, want one that ends with %q", exit, stdout.String(), want)
	}
	if stderr.Len() > 0 {
		t.Errorf("it complains: %s", &stderr)
	}
}

func TestNoExecutable(t *testing.T) {
	t.Parallel()
	if digest, err := digestOf(t.TempDir()+"/gone", nil); err == nil {
		t.Errorf("a file that is gone has the digest %s", digest)
	}
}
