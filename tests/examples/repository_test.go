package examples_test

import (
	"strings"
	"testing"
)

// TestRepository runs the targets of the repository, from a copy elsewhere, with
// this version of spirodeploy.
func TestRepository(t *testing.T) {
	t.Parallel()
	dir := example(t, "repository")
	must(t, dir, nil, "go", "mod", "edit", "-replace=github.com/spirostack/spirodeploy="+root)
	// This compiles everything before the environment names certificates to trust.
	list := must(t, dir, nil, "go", "tool", "mage", "-l")
	for _, target := range []string{"build ", "release ", "spiro:bundle ", "spiro:deploy ", "spiro:check "} {
		if !strings.Contains(list, "  "+target) {
			t.Errorf("mage -l does not list %s", target)
		}
	}
	must(t, dir, nil, "go", "tool", "mage", "build")
	for _, args := range [][]string{{"spiro:deploy", "shop", "prod"}, {"release"}} {
		srv, env := server(t, nil)
		out := must(t, dir, env, "go", append([]string{"tool", "mage"}, args...)...)
		if !strings.Contains(out, "Success: shop/prod deployed: 1 minion") {
			t.Errorf("%v prints %q", args, out)
		}
		deployed(t, srv, "build/shop")

		_, env = server(t, fails)
		r := run(t, dir, env, "go", append([]string{"tool", "mage"}, args...)...)
		if r.status != 1 || !strings.Contains(r.stdout, "No space left on device") {
			t.Errorf("%v with a minion that fails: status %d, %q", args, r.status, r.stdout)
		}
	}
	written(t, dir, "report.html", "No space left on device")
	written(t, dir, "report.xml", "No space left on device")

	// Status 2 means a mistake on this side; mage's own status is 1.
	_, env := server(t, nil)
	if r := run(t, dir, append(env, "SPIRO_TOKEN="), "go", "tool", "mage", "spiro:deploy", "shop", "prod"); r.status != 2 {
		t.Errorf("without a token: status %d", r.status)
	}
	_, env = server(t, fails)
	if r := run(t, dir, append(env, "SPIRO_URL=https://127.0.0.1:1/"), "go", "tool", "mage", "release"); r.status != 5 {
		t.Errorf("without a server: status %d", r.status)
	}
}
