package spirofs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExpected checks expected minions with SpiroFS as published, which says nothing
// about a minion that does not answer.
func TestExpected(t *testing.T) {
	t.Parallel()
	m := unhardened(t)
	const app = "fine: {test.nop: []}\n"
	dir := states(t, "web1", app)
	first := filepath.Join(t.TempDir(), "report.json")
	deploy := func(args ...string) result {
		return run(t, command(t, m, "expected", append([]string{"--insecure", "--dir", dir}, append(args, "expected", "prod")...)...))
	}
	deploy("--report", "json="+first).check(t, 0, "Success: expected/prod deployed: 1 minion")
	// A minion that does not exist, named by its id and by a glob.
	write(t, filepath.Join(dir, "_salt", "spirotop.sls"), "prod: {web1: [app], web9: [app], 'db9*': [app]}\n")
	deploy().check(t, 1, "1 of 2 minions was not reached (web9)", "salt-run manage.down")
	deploy("--missing-minions", "warn").check(t, 0, "warning: 1 minion was expected and not reached: web9")
	write(t, filepath.Join(dir, "_salt", "spirotop.sls"), "prod: {'web9*': [app]}\n")
	deploy().check(t, 1, "no minion is concerned")
	deploy("--expect-from", first).check(t, 1, "1 of 1 minion was not reached (web1)")
	write(t, filepath.Join(dir, "_salt", "spirotop.sls"), "prod: {'web*': [app], 'db*': [app]}\n")
	deploy("--expect-from", first, "--expect-minion", "db1", "--min-minions", "2").check(t, 0, "Success: expected/prod deployed: 2 minions")
	deploy("--min-minions", "3").check(t, 1, "2 minions were reached, and 3 had to be")
}

// TestTopFile: mistakes that the server would refuse, or ignore, are found before
// anything is sent.
func TestTopFile(t *testing.T) {
	t.Parallel()
	m := unhardened(t)
	for top, says := range map[string]string{
		"prod: {'*': [app]\n":        "_salt/spirotop.sls:",
		"prdo: {'*': [app]}\n":       "deployment prod is not in _salt/spirotop.sls; it has prdo: did you mean prdo?",
		"prod: {'*': [app, none]}\n": "names the SLS none, and the bundle has neither none.sls nor none/init.sls",
	} {
		dir := states(t, "*", "fine: {test.nop: []}\n")
		write(t, filepath.Join(dir, "_salt", "spirotop.sls"), top)
		run(t, command(t, m, "topfile", "--insecure", "--dir", dir, "topfile", "prod")).check(t, 2, says)
	}
	if entries, err := os.ReadDir(filepath.Dir(m.DeploymentDir("topfile", "prod"))); err == nil || len(entries) > 0 {
		t.Errorf("the server has %v", entries)
	} else if !strings.Contains(err.Error(), "no such file") {
		t.Error(err)
	}
}
