package parity_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
)

// TestSpirotop deploys top files to both servers, each with the minion web1. Both must
// agree on whether the file concerns the minion, and on whether they refuse it.
func TestSpirotop(t *testing.T) { //nolint:tparallel // one after the other: they share servers
	t.Parallel()
	theirs, ours, scripted := both(t, true)
	// The SLS has no states, so that its highstate is short, and the same on both.
	scripted.SetMinions(spirotest.Minion{ID: "web1"})
	const plain = "{web1: [web]}\n"
	for _, tt := range []struct {
		name, deployment, top string
		want                  string // "web1", "nobody" or "refused"
	}{
		{"a name", "prod", "prod: " + plain, "web1"},
		{"on", "on", "on: " + plain, "nobody"},
		{"no", "no", "no: " + plain, "nobody"},
		{"yes in quotes", "yes", "'yes': " + plain, "web1"},
		{"y", "y", "y: " + plain, "web1"},
		{"null", "null", "null: " + plain, "nobody"},
		{"a number of base 60", "1:30", "1:30: " + plain, "nobody"},
		{"octal of YAML 1.2", "0o17", "0o17: " + plain, "web1"},
		{"leading zero", "017", "017: " + plain, "nobody"},
		{"a date", "2024-01-01", "2024-01-01: " + plain, "web1"},
		{"no exponent of YAML 1.1", "1e3", "1e3: " + plain, "web1"},
		{"merge key", "prod", "all: &all " + plain + "prod:\n  <<: *all\n", "web1"},
		{"byte order mark", "prod", "\ufeffprod: " + plain, "web1"},
		{"carriage returns", "prod", "prod:\r\n  web1:\r\n  - web\r\n", "web1"},
		{"deployment that is not there", "other", "prod: " + plain, "nobody"},
		{"nothing", "prod", "# nothing\n", "nobody"},
		{"no targets", "prod", "prod: {}\n", "nobody"},
		{"list", "prod", "prod:\n  db1,web1:\n  - match: list\n  - web\n", "web1"},
		{"list with spaces", "prod", "prod:\n  'db1, web1':\n  - match: list\n  - web\n", "nobody"},
		{"compound list", "prod", "prod: {'L@db1,web1': [web]}\n", "web1"},
		{"or", "prod", "prod: {'db1 or web1': [web]}\n", "web1"},
		{"two ids without or", "prod", "prod: {'db1 web1': [web]}\n", "nobody"},
		{"and not", "prod", "prod: {'web* and not web1': [web]}\n", "nobody"},
		{"number for a target", "prod", "prod: {1: [web]}\n", "nobody"},
		{"empty list", "prod", "prod: {web1: []}\n", "web1"},
		{"Jinja in quotes", "prod", "prod:\n  '{{ grains.id }}': [web]\n", "web1"},

		{"two documents", "prod", "prod: " + plain + "---\nx: y\n", "refused"},
		{"one key twice", "prod", "prod: " + plain + "prod: {}\n", "refused"},
		{"tab", "prod", "prod:\n\tweb1: [web]\n", "refused"},
		{"tag", "prod", "prod: !!python/name:os.system a\n", "refused"},
		{"star without quotes", "prod", "prod:\n  *: [web]\n", "refused"},
		{"Jinja", "prod", "{% if true %}\nprod: {}\n{% endif %}\n", "refused"},
		{"list of deployments", "prod", "- prod\n", "refused"},
		{"not UTF-8", "prod", "prod: {web1: [\xff]}\n", "refused"},
		{"UTF-16", "prod", "\xff\xfep\x00:\x00", "refused"},

		// Salt refuses these files together with those of all other deployments, so they
		// come last and are removed afterwards.
		{"text for a list", "prod", "prod: {web1: web}\n", "nobody"},
		{"nothing for a list", "prod", "prod:\n  web1:\n", "nobody"},
		{"nothing for the targets", "prod", "prod:\n", "nobody"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := form{
				fields: [][2]string{{"project", "shop"}, {"deployment", tt.deployment}, {"highstate", "yes"}},
				files:  [][2]string{{"bundle", tarOf(t, "spirotop.sls", tt.top, "web.sls", "hello: {test.nop: []}\n")}},
			}
			want := theirs.send(t, http.MethodPost, "/", "Bearer "+theirs.token(time.Hour, "shop"), f)
			got := ours.send(t, http.MethodPost, "/", "Bearer "+ours.token(time.Hour, "shop"), f)
			if a, b := outcome(want), outcome(got); a != tt.want || b != tt.want {
				t.Errorf("want %s\nthe real one: %s %q\nspirotest:    %s %q", tt.want, a, want.events, b, got.events)
			}
			if tt.want == "web1" {
				return
			}
			// This deployment must concern nobody during the next one.
			f.files = [][2]string{{"bundle", tarOf(t, "web.sls", "")}}
			f.fields = f.fields[:2]
			theirs.send(t, http.MethodPost, "/", "Bearer "+theirs.token(time.Hour, "shop"), f)
		})
	}
}

// TestBrokenTop shows that a top file of the wrong shape keeps the minions of
// another project from their states.
func TestBrokenTop(t *testing.T) {
	t.Parallel()
	theirs, _, _ := both(t, true)
	deploy := func(project, top string) string {
		return outcome(theirs.send(t, http.MethodPost, "/", "Bearer "+theirs.token(time.Hour, project), form{
			fields: [][2]string{{"project", project}, {"deployment", "prod"}, {"highstate", "yes"}},
			files:  [][2]string{{"bundle", tarOf(t, "spirotop.sls", top, "web.sls", "hello: {test.nop: []}\n")}},
		}))
	}
	for _, tt := range []struct{ project, top, want string }{
		{"blog", "prod: {web1: [web]}\n", "web1"},
		{"shop", "prod: {web1: web}\n", "nobody"},
		{"blog", "prod: {web1: [web]}\n", "nobody"},
		{"shop", "prod: {web1: [web]}\n", "web1"},
		{"blog", "prod: {web1: [web]}\n", "web1"},
		{"shop", "prod:\n", "nobody"},
		{"blog", "prod: {web1: [web]}\n", "nobody"},
	} {
		if got := deploy(tt.project, tt.top); got != tt.want {
			t.Errorf("%s with %q: %s, want %s", tt.project, tt.top, got, tt.want)
		}
	}
}

// outcome returns whom a stream concerned.
func outcome(a answer) string {
	has := func(name string) bool {
		return slices.ContainsFunc(a.events, func(e string) bool { return strings.HasPrefix(e, name+" ") })
	}
	switch {
	case has("exception"):
		return "refused"
	case has("highstate-update"):
		return "web1"
	case has("highstate-finish"):
		return "nobody"
	default:
		return "no highstate"
	}
}
