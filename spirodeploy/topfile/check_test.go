package topfile_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/spirodeploy/topfile"
)

// files is a bundle of names and contents.
type files map[string]string

func (f files) Names() iter.Seq[string] { return maps.Keys(f) }

func (f files) Has(name string) (dir, ok bool) {
	if _, ok := f[name]; ok {
		return false, true
	}
	for other := range f {
		if strings.HasPrefix(other, name+"/") {
			return true, true
		}
	}
	return false, false
}

func (f files) Open(name string) (io.ReadCloser, error) {
	content, ok := f[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return io.NopCloser(strings.NewReader(content)), nil
}

func check(t *testing.T, f files, opts topfile.Options) *topfile.Result {
	t.Helper()
	result, err := topfile.Check(t.Context(), f, opts)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestCheck(t *testing.T) {
	t.Parallel()
	prod := topfile.Options{Project: "shop", Deployment: "prod", Prefix: "_salt/"}
	for _, tt := range []struct {
		name  string
		files files
		opts  topfile.Options
		want  []string // KIND SEVERITY FILE:LINE:COLUMN TEXT, each in part
	}{
		{"good", files{"spirotop.sls": "prod: {web1: [web, db.sub, 'app*', x/y]}", "web.sls": "", "db/sub/init.sls": "", "app1.sls": "", "x/y.sls": ""}, prod, nil},
		{"init", files{"spirotop.sls": "prod: {web1: [web]}", "web/init.sls": ""}, prod, nil},
		{
			"missing SLS", files{"spirotop.sls": "prod:\n  web1:\n    - match: glob\n    - web\n", "webs.sls": ""}, prod,
			[]string{"sls problem _salt/spirotop.sls:4:7 names the SLS web, and the bundle has neither web.sls nor web/init.sls: did you mean webs?"},
		},
		{
			"ending", files{"spirotop.sls": "prod: {web1: [web.sls]}", "web.sls": ""}, prod,
			[]string{"sls problem _salt/spirotop.sls:1:15 names the SLS web.sls, and the bundle has neither web/sls.sls nor web/sls/init.sls: an SLS is named without its ending, so write web"},
		},
		{"glob without match", files{"spirotop.sls": "prod: {web1: ['x*']}"}, prod, []string{"sls problem _salt/spirotop.sls:1:15 names the SLS x*, and no SLS of the bundle matches it"}},
		{"dots in a directory", files{"spirotop.sls": "prod: {web1: [web.d.x]}", "web.d/x.sls": ""}, prod, []string{"sls problem _salt/spirotop.sls:1:15 names the SLS web.d.x, and the bundle has neither web/d/x.sls nor web/d/x/init.sls"}},
		{
			"deployment", files{"spirotop.sls": "canary: {}\nprod: {}\n"}, topfile.Options{Deployment: "prdo", Prefix: "_salt/"},
			[]string{"deployment problem deployment prdo is not in _salt/spirotop.sls; it has canary, prod: did you mean prod?"},
		},
		{"nothing near", files{"spirotop.sls": "prod: {}\n"}, topfile.Options{Deployment: "staging"}, []string{"deployment problem deployment staging is not in spirotop.sls; it has prod"}},
		{
			"on", files{"spirotop.sls": "on: {}\n"}, topfile.Options{Deployment: "on", Prefix: "_salt/"},
			[]string{"deployment problem deployment on is not in _salt/spirotop.sls: in YAML the key on in line 1 is a truth value, so put it in quotes"},
		},
		{"empty", files{"spirotop.sls": "# x\n"}, prod, []string{"deployment problem deployment prod is not in _salt/spirotop.sls, which names no deployment"}},
		{"no YAML", files{"spirotop.sls": "prod:\n\ta: [b]\n"}, prod, []string{"yaml problem _salt/spirotop.sls:2:1: the server cannot read this: while scanning for the next token"}},
		{"too large", files{"spirotop.sls": strings.Repeat("#", topfile.MaxSize+1)}, prod, []string{"size problem _salt/spirotop.sls cannot be checked: it has more than 1048576 bytes"}},
		{"neither", files{"web.sls": ""}, prod, []string{"none warning the bundle has no _salt/spirotop.sls (and no _salt/top.sls), so a highstate concerns no minion, unless the master's base environment names this one: write a _salt/spirotop.sls that says who gets which SLS, for example prod: {'web*': [web]}"}},
		{
			"both", files{"spirotop.sls": "]", "top.sls": "shop/prod: {web1: []}"}, prod,
			[]string{"both warning the bundle has both _salt/top.sls and _salt/spirotop.sls: the server goes by the first and does not look at the second, so take one of them away"},
		},
		{"text for a list", files{"spirotop.sls": "prod:\n  web1: site\n", "site.sls": ""}, prod, []string{"shape problem _salt/spirotop.sls:2:3: the SLS of the target web1 are a text, not a list: write it as 'web1': [site]; Salt then finds no minion, for this deployment and for every other one of the master"}},
		{"nothing", files{"spirotop.sls": "prod:\n"}, prod, []string{"shape problem _salt/spirotop.sls:1:1: prod is empty, not a mapping of targets; Salt then"}},
		{"no targets", files{"spirotop.sls": "prod: {}\n"}, prod, []string{"targets warning _salt/spirotop.sls:1:1: deployment prod has no targets"}},
		{"colon after an SLS", files{"spirotop.sls": "prod:\n  web1:\n  - web:\n"}, prod, []string{"shape problem _salt/spirotop.sls:3:5: web in the list of the target web1 has no value: if it is an SLS, take away the colon; Salt then"}},
		{"number for an SLS", files{"spirotop.sls": "prod:\n  web1:\n  - 1\n"}, prod, []string{"shape problem _salt/spirotop.sls:3:5: 1 in the list of the target web1 is a number, not the name of an SLS: put it in quotes"}},
		{"number for a target", files{"spirotop.sls": "prod:\n  1: []\n"}, prod, []string{"shape warning _salt/spirotop.sls:2:3: the target 1 is a number, which matches no minion: put it in quotes"}},
		{"match type", files{"spirotop.sls": "prod:\n  'os:x': [{match: grains}]\n"}, prod, []string{"shape warning _salt/spirotop.sls:2:3: the target os:x has the match type grains, which is none of Salt's own: did you mean grain?"}},
		{"no operator", files{"spirotop.sls": "prod:\n  web1 web2: []\n"}, prod, []string{"shape warning _salt/spirotop.sls:2:3: the target web1 web2 is no compound expression that Salt can read, so it matches no minion"}},
		{"comma", files{"spirotop.sls": "prod:\n  'web1,web2': []\n"}, prod, []string{"shape warning _salt/spirotop.sls:2:3: the target web1,web2 is one id to Salt: for a list, write L@web1,web2"}},
		{"spaces in a list", files{"spirotop.sls": "prod:\n  'web1, web2': [{match: list}]\n"}, prod, []string{"shape warning _salt/spirotop.sls:2:3: the list web1, web2 has spaces, which Salt takes for a part of the ids"}},
		{"dot in front", files{"spirotop.sls": "prod: {web1: [.web]}", "web.sls": ""}, prod, []string{"sls problem _salt/spirotop.sls:1:15 names the SLS .web, and the bundle has neither /web.sls nor /web/init.sls"}},
		{"every deployment", files{"spirotop.sls": "a: {x: [one]}\nb: {y: [two]}\n"}, topfile.Options{}, []string{"sls problem spirotop.sls:1:9 names the SLS one", "sls problem spirotop.sls:2:9 names the SLS two"}},
		{"another saltenv", files{"spirotop.sls": "prod: {web1: [{base: common}, {shop/prod: web}]}"}, prod, []string{"sls problem _salt/spirotop.sls:1:43 names the SLS web,"}},
		{"control characters", files{"spirotop.sls": "prod: {web1: [\"a\\e[31m\\n::error::x\"]}"}, prod, []string{`sls problem _salt/spirotop.sls:1:15 names the SLS "a\x1b[31m\n::error::x", and no SLS of the bundle matches it`}},
		{"a template of quotes", files{"spirotop.sls": "prod: {web1: ['{{ x }}']}"}, prod, nil},

		{"top.sls", files{"top.sls": "shop/prod: {web1: [web]}"}, prod, []string{"sls problem _salt/top.sls:1:20 names the SLS web,"}},
		{"top.sls of base", files{"top.sls": "base: {web1: [web]}"}, prod, []string{"deployment problem _salt/top.sls has no section shop/prod, the only one that Salt looks at; it has base"}},
		{"top.sls with Jinja", files{"top.sls": "{% if x %}\nbase: {}\n{% endif %}"}, prod, nil},
		{"top.sls of another renderer", files{"top.sls": "#!py\ndef run(): return {}\n"}, prod, nil},
		{"top.sls with include", files{"top.sls": "include: [more]\n"}, prod, nil},
		{"top.sls, no YAML", files{"top.sls": "a: [\n"}, prod, []string{"yaml problem _salt/top.sls:2:1: the server cannot read this"}},
		{"top.sls, no project", files{"top.sls": "base: {}\n"}, topfile.Options{Deployment: "prod"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := check(t, tt.files, tt.opts).Findings
			for i, f := range got {
				line := string(f.Kind) + " " + f.Severity.String() + " " + f.Text
				if i >= len(tt.want) || !strings.HasPrefix(line, tt.want[i]) {
					t.Errorf("%s", line)
				}
			}
			if len(got) < len(tt.want) {
				t.Errorf("%d findings, want %q", len(got), tt.want)
			}
		})
	}
}

func TestResult(t *testing.T) {
	t.Parallel()
	opts := topfile.Options{Project: "shop", Deployment: "prod"}
	r := check(t, files{"spirotop.sls": "prod: {'web1 or db*': [web]}", "web.sls": ""}, opts)
	if r.File != topfile.SpiroTop || strings.Join(r.Section.Expected(), " ") != "web1" {
		t.Errorf("%+v", r)
	}
	if r := check(t, files{"top.sls": "{{ x }}"}, opts); r.File != topfile.Top || !r.Section.Template || r.Section.Expected() != nil {
		t.Errorf("%+v", r)
	}
	if r := check(t, files{"web.sls": ""}, opts); r.File != "" || r.Section != nil {
		t.Errorf("%+v", r)
	}
}

// TestReferences has what is visible in an SLS without rendering it, and what is not.
func TestReferences(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, sls, want string }{
		{"include", "include:\n  - web.sub\n  - nginx\n", "web/init.sls:3:5 includes nginx, and the bundle has neither nginx.sls nor nginx/init.sls"},
		{"include that is there", "include:\n  - web.sub\n  - .sub\n  - ..web.sub\n  - web*\n", ""},
		{"relative include", "include: [.gone]\n", "web/init.sls:1:11 includes .gone, and the bundle has neither web/gone.sls nor web/gone/init.sls"},
		{"two levels up", "include:\n- ..gone\n", "web/init.sls:2:3 includes ..gone, and the bundle has neither gone.sls nor gone/init.sls"},
		{"beyond the top", "include:\n- ....gone\n", ""},
		{"include of another saltenv", "include:\n- base: common\n", ""},
		{"include by Jinja", "include:\n- {{ x }}\n- a{{ x }}\n{% if x %}\n- .sub\n{% endif %}\n", ""},
		{"include between Jinja", "include:\n{% for x in y %}\n- {{ x }}\n{% endfor %}\n- gone\n", "web/init.sls:5:3 includes gone,"},
		{"through an include", "include: [.sub]\n", "web/sub.sls:4:15 names the source salt://gone/too, which is not in the bundle"},
		{"source", "/etc/x:\n  file.managed:\n    - source: salt://web/gone\n", "web/init.sls:3:15 names the source salt://web/gone, which is not in the bundle"},
		{"sources that are there", "/etc/x:\n  file.managed:\n    - source: salt://web/x.conf\n/y:\n  file.recurse:\n    - source: salt://web/dir/\n/z:\n  file.managed: [{source: 'salt://_artifacts/app.tar'}]\n/r:\n  file.recurse: [{source: 'salt://'}]\n", ""},
		{"artifact", "/etc/x:\n  file.managed:\n    - source: salt://_artifacts/app.zip\n", "web/init.sls:3:15 names the source salt://_artifacts/app.zip, which is not in the bundle"},
		{"another saltenv", "x:\n  file.managed:\n    - source: salt://gone?saltenv=base\n", ""},
		{"the own saltenv", "x:\n  file.managed:\n    - source: salt://gone?saltenv=shop/prod\n", "web/init.sls:3:15 names"},
		{"fallback", "x:\n  file.managed:\n    - source:\n      - salt://gone\n      - salt://web/x.conf\n", ""},
		{"fallback, none there", "x:\n  file.managed:\n    - source:\n      - salt://gone\n      - salt://lost\n", "web/init.sls:4:9 names sources of which none is in the bundle: salt://gone, salt://lost"},
		{"fallback by Jinja", "x:\n  file.managed:\n    - source:\n      - salt://{{ grains.id }}\n      - salt://lost\n", ""},
		{"fallback by HTTP", "x:\n  file.managed:\n    - source:\n      - salt://gone\n      - https://example.com/x\n", ""},
		{"in a link", "x:\n  file.managed:\n    - source: salt://link/x\n", ""},
		{"comment", "x:\n  file.managed:\n    # - source: salt://gone\n    - name: /x # salt://gone\n", ""},
		{"in a text", "x:\n  file.managed:\n    - contents: |\n        source: salt://gone\n        include:\n        - gone\n", ""},
		{"Jinja comment", "{#\nx:\n  file.managed:\n    - source: salt://gone\n#}\n", ""},
		{"Jinja map", "{% set m = {\n  'source': 'salt://gone'\n} %}\n", ""},
		{"raw", "{% raw %}\nx:\n  file.managed:\n    - source: salt://gone\n{% endraw %}\n", ""},
		{"Jinja in the line", "x:\n  file.managed:\n    - source: salt://gone{{ x }}\n    - name: {{ x }}\n", ""},
		{"after Jinja", "{% set x = 1 %}\n{{ x }}:\n  file.managed:\n    - name: {{ x }}\n    - source: salt://gone\n", "web/init.sls:5:15 names"},
		{"both branches", "{% if x %}\na:\n  test.nop: []\n{% else %}\na:\n  file.managed:\n    - source: salt://gone\n{% endif %}\n", "web/init.sls:7:15 names"},
		{"another renderer", "#!py\nx = 1\ninclude: [gone]\n", ""},
		{"default renderer", "#!jinja|yaml\ninclude: [gone]\n", "web/init.sls:2:11 includes gone"},
		{"no YAML", "a: [\ninclude: [gone]\n", ""},
		{"unclosed Jinja", "include: [gone]\n{{ x\n", "web/init.sls:1:11 includes gone"},
		{"script", "x:\n  cmd.script:\n    - name: salt://gone.sh\n", "web/init.sls:3:13 names"},
		{"local source", "x:\n  file.managed:\n    - source: /etc/passwd\n", ""},
		{"anchor", "x: &x\n  file.managed:\n    - source: salt://gone\ny: *x\n", "web/init.sls:3:15 names"},
		{"carriage returns", "x:\r\n  file.managed:\r\n    - source: salt://gone\r\n", "web/init.sls:3:15 names"},
		{"include itself", "include: [web]\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := files{
				"spirotop.sls": "prod: {web1: [web]}", "web/init.sls": tt.sls, "web/sub.sls": "", "web/x.conf": "", "web/dir/y": "", "_artifacts/app.tar": "", "link": "",
				"other.sls": "include: [gone]\n",
			}
			if strings.HasPrefix(tt.name, "through") {
				f["web/sub.sls"] = "a:\n  file.managed:\n    - name: /x\n    - source: salt://gone/too\n"
			}
			r := check(t, f, topfile.Options{Project: "shop", Deployment: "prod", Prefix: "_salt/"})
			switch {
			case tt.want == "" && len(r.Findings) > 0:
				t.Error(r.Findings)
			case tt.want != "" && (len(r.Findings) != 1 || !strings.HasPrefix(r.Findings[0].Text, "_salt/"+tt.want)):
				t.Errorf("%v, want %s", r.Findings, tt.want)
			case tt.want != "" && (r.Findings[0].Kind != topfile.KindReference || r.Findings[0].Severity != topfile.Warning):
				t.Errorf("%+v", r.Findings[0])
			}
		})
	}
}

func TestManyFindings(t *testing.T) {
	t.Parallel()
	top := "prod:\n  web1:\n" + strings.Repeat("  - gone\n", 1) + strings.Repeat("  - 1\n", 500)
	found := check(t, files{"spirotop.sls": top}, topfile.Options{Deployment: "prod"}).Findings
	if len(found) != 100 || !strings.HasSuffix(found[99].Text, " (and 401 more findings)") {
		t.Errorf("%d findings, the last %v", len(found), found[len(found)-1])
	}
}

func TestCanceled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := topfile.Check(ctx, files{"web.sls": ""}, topfile.Options{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// counted is a bundle with one top file and many SLS, of which it tells when they are
// asked for.
type counted struct {
	top, sls string
	names    []string
	asked    func()
}

func (b *counted) Names() iter.Seq[string] {
	b.asked()
	return slices.Values(b.names)
}

func (b *counted) Has(name string) (dir, ok bool) {
	return false, name == "web.sls" || name == topfile.SpiroTop && b.top != ""
}

func (b *counted) Open(name string) (io.ReadCloser, error) {
	if name == topfile.SpiroTop {
		return io.NopCloser(strings.NewReader(b.top)), nil
	}
	return io.NopCloser(strings.NewReader(b.sls)), nil
}

func repeated(format string, count int) []string {
	var all []string
	for i := range count {
		all = append(all, fmt.Sprintf(format, i))
	}
	return all
}

// TestLackOfEnding: what needs no other name for a hint does not ask for all names.
func TestLackOfEnding(t *testing.T) {
	t.Parallel()
	b := &counted{top: "prod: {web1: [gone.sls]}", asked: func() { t.Error("all names are asked for") }}
	if r, err := topfile.Check(t.Context(), b, topfile.Options{Deployment: "prod"}); err != nil || len(r.Findings) != 1 {
		t.Error(r, err)
	}
}

// TestAllocations has work that shows in memory only.
func TestAllocations(t *testing.T) {
	allocations := func(b counted, canceled bool) float64 {
		return testing.AllocsPerRun(1, func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			b.asked = func() {
				if canceled {
					cancel()
				}
			}
			if _, err := topfile.Check(ctx, &b, topfile.Options{Deployment: "prod"}); errors.Is(err, context.Canceled) != canceled {
				t.Error(err)
			}
		})
	}
	few, many := allocations(counted{names: repeated("web%d.sls", 10)}, false), allocations(counted{names: repeated("web%d.sls", 100_000)}, false)
	if many > few+5 {
		t.Errorf("the hint for a bundle without a top file makes a list of all SLS: %v allocations for many, %v for few", many, few)
	}
	missing := func(count int, canceled bool) float64 {
		includes := "include:\n" + strings.Join(repeated("- gone%04d\n", count), "")
		return allocations(counted{top: "prod: {web1: [web]}", sls: includes, names: repeated("web%d.sls", 100)}, canceled)
	}
	few, many = missing(100, false), missing(1000, false)
	if many > 2*few {
		t.Errorf("findings that nobody reads get hints: %v allocations for 1000, %v for 100", many, few)
	}
	if canceled := missing(100, true); canceled > few/2 {
		t.Errorf("the end of the context does not end the hints: %v allocations, %v without it", canceled, few)
	}
}
