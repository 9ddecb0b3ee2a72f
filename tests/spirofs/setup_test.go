package spirofs_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/internal/dev/salt"
	"github.com/spirostack/spirodeploy/tests/program"
)

// address is what docs/guides/master.md installs. The test installs its own copy instead.
const address = "git+https://github.com/spirostack/spirodeploy#subdirectory=contrib/spirofs-compat"

// TestSetUp does what docs/guides/master.md says, in an environment with Salt and without
// SpiroFS. Its salt-pip installs like that of Salt's packages.
func TestSetUp(t *testing.T) { //nolint:paralleltest // as with TestMatrix
	w := shared(t)
	page := content(t, filepath.Join(program.Root, "docs", "guides", "master.md"))
	blocks := regexp.MustCompile("(?ms)^```(?:sh|yaml)\n(.*?)^```$").FindAllStringSubmatch(page, 3)
	if len(blocks) != 3 || !strings.Contains(blocks[0][1], address) {
		t.Fatalf("docs/guides/master.md has changed: %q", blocks)
	}
	install, config, restart := blocks[0][1], blocks[1][1], blocks[2][1]
	if lines := strings.Count(install+config+restart, "\n"); lines >= 11 {
		t.Errorf("it takes %d lines to set a master up", lines)
	}
	dir := t.TempDir()
	env, err := w.env.Fresh(t.Context(), filepath.Join(dir, "env"))
	if err != nil {
		t.Fatal(err)
	}
	sources := filepath.Join(dir, "spirofs-compat") // pip writes into them
	if err := os.CopyFS(sources, os.DirFS(filepath.Join(program.Root, "contrib", "spirofs-compat"))); err != nil {
		t.Fatal(err)
	}
	// A machine with Salt's packages has these programs; this one does not.
	stand := filepath.Join(dir, "bin")
	for name, script := range map[string]string{"hostname": "echo localhost", "chown": "true", "systemctl": "true"} {
		path := filepath.Join(stand, name)
		write(t, path, "#!/bin/sh\n"+script+"\n")
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	local := func(text string) string {
		return strings.NewReplacer(address, sources, "/etc/salt/pki/", dir+"/").Replace(text)
	}
	sh := func(script string, more ...string) *exec.Cmd {
		ctx, cancel := context.WithTimeout(t.Context(), salt.InstallLimit)
		t.Cleanup(cancel)
		cmd := exec.CommandContext(ctx, "sh", "-euc", script)
		cmd.Env = append(os.Environ(), append(more, "PATH="+stand+string(filepath.ListSeparator)+env.Programs()+string(filepath.ListSeparator)+os.Getenv("PATH"))...)
		return cmd
	}
	run(t, sh(local(install))).check(t, 0)

	m, err := env.Start(t.Context(), salt.Options{
		Minions: []salt.Minion{{ID: "web1"}},
		Setup: func(port int) string {
			return strings.Replace(local(config), "port: 4510", "address: 127.0.0.1, port: "+strconv.Itoa(port), 1)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, m)
	// salt-run is that of the environment, with the master's configuration.
	write(t, filepath.Join(stand, "salt-run"), "#!/bin/sh\nexec "+strings.Join(m.Line("salt-run"), " ")+" \"$@\"\n")
	if err := os.Chmod(filepath.Join(stand, "salt-run"), 0o755); err != nil {
		t.Fatal(err)
	}
	issued := run(t, sh(restart, m.Environment()...))
	issued.check(t, 0)
	fields := strings.Fields(issued.stdout)
	if len(fields) == 0 {
		t.Fatalf("salt-run says %q, %q", issued.stdout, issued.stderr)
	}
	url := strings.Replace(strings.Replace(m.URL, "http://", "https://", 1), "127.0.0.1", "localhost", 1)
	project := states(t, "web1", "fine: {test.nop: []}\n")
	for _, args := range [][]string{
		{"--dry-run"},
		nil,
	} {
		args = append(args, "--dir", project, "--server", url, "--ssl-cert", filepath.Join(dir, "spirofs.crt"), "shop", "prod")
		cmd := command(t, m, "shop", args...)
		cmd.Env = append(cmd.Env, "SPIRO_TOKEN="+fields[len(fields)-1])
		run(t, cmd).check(t, 0)
	}
	if log := content(t, m.Log()); strings.Contains(log, "Traceback") {
		t.Errorf("the master's log has a failure:\n%s", log)
	}
}
