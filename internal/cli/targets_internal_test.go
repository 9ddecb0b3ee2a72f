package cli

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/internal/errlist"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
)

// TestTargets: each target of a plan is there once and has a name to show, and what is wrong
// with one names its place.
func TestTargets(t *testing.T) {
	t.Parallel()
	shop := Settings{Project: "shop", Deployment: "prod"}
	servers := func(urls ...string) Settings {
		s := shop
		s.Servers = urls
		return s
	}
	for name, test := range map[string]struct {
		settings Settings
		list     string // none if empty
		want     string // the names and hosts of the targets
		problem  string
	}{
		"a server twice":         {servers("https://a/", "https://b/", "HTTPS://A"), "", "<a> <b>", "--server names a twice"},
		"servers of one host":    {servers("https://a:4510/x/", "https://a:4510/y", "https://a", "https://b"), "", "https://a:4510/x<a> https://a:4510/y<a> https://a<a> <b>", ""},
		"no URL twice":           {servers("a", "a", "https://b"), "", "server 1<> <b>", "--server names a server twice"},
		"no URLs":                {servers("a", "b"), "", "server 1<> server 2<>", ""},
		"the default server":     {shop, "- {server: 'https://salt:4510'}\n- {}\n", "<salt>", "LIST: target 2 repeats an earlier one"},
		"a target twice":         {shop, "- {server: 'https://a/'}\n- {server: 'https://a'}\n", "<a>", "LIST: target 2 repeats an earlier one"},
		"two names":              {shop, "- {server: 'https://a/', name: x}\n- {server: 'https://a/', name: y}\n", "x<a> y<a>", ""},
		"two deployments":        {shop, "- {server: 'https://a/', deployment: x}\n- {server: 'https://a/'}\n", "<a> <a>", ""},
		"no URL in the list":     {shop, "- {server: a}\n- {server: 'https://b'}\n", "target 1<> <b>", ""},
		"no deployment":          {Settings{}, "- {server: 'https://a'}\n- {name: b, project: shop}\n", "no plan", "LIST: target 1: it has no project and no deployment: name it there, or give"},
		"no deployment, no URL":  {Settings{}, "- {server: a, project: shop}\n", "no plan", "LIST: target 1: it has no deployment"},
		"no deployment, by name": {Settings{}, "- {name: b, project: shop}\n", "no plan", "LIST: target b: it has no deployment"},
		"an empty list":          {Settings{}, "# none yet", "no plan", "targets: LIST lists no target"},
		"an empty list of shop":  {shop, "# none yet", "", "targets: LIST lists no target"},
		"no project":             {Settings{Mage: true, Deployment: "prod"}, "", "no plan", "PROJECT is empty"},
	} {
		list := filepath.Join(t.TempDir(), "list")
		if test.list != "" {
			test.settings.Targets = written(t, list, test.list)
		}
		w, _, _ := worldOf(map[string]string{"SPIRO_TOKEN": "a-token"})
		p, err := w.plan(t.Context(), test.settings)
		got := "no plan"
		if p != nil {
			err = errlist.Join(p.options.Problems...)
			var targets []string
			for _, target := range p.options.Targets {
				targets = append(targets, target.Name+"<"+strings.ToLower(host(target.Server.Server))+">")
			}
			got = strings.Join(targets, " ")
		}
		said := ""
		if err != nil {
			said = strings.ReplaceAll(err.Error(), list, "LIST")
		}
		if got != test.want || !strings.Contains(said, test.problem) || test.problem == "" && said != "" {
			t.Errorf("%s: targets %q, want %q; %q, want %q", name, got, test.want, said, test.problem)
		}
	}
}

// TestSpellList: for a list of targets, hints name a field of the list, not the flag for all.
func TestSpellList(t *testing.T) {
	t.Parallel()
	list, all := Settings{Targets: "list"}, Settings{Targets: "list", Insecure: true, SSLCert: "ca.pem"}
	one := Settings{}
	for option, want := range map[string][3]string{
		"insecure": {"--insecure", `"insecure: true" in the list`, "--insecure"},
		"ssl-cert": {"--ssl-cert", `"certificate" in the list`, "--ssl-cert"},
		"server":   {"SPIRO_URL or --server", `"server" in the list`, `"server" in the list`},
	} {
		o := fault.Option(option)
		if got := [3]string{one.Spell(o), list.Spell(o), all.Spell(o)}; got != want {
			t.Errorf("%s: %q, want %q", option, got, want)
		}
	}
}
