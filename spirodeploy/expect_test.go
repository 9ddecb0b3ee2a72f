package spirodeploy_test

import (
	"archive/tar"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/report/view"
	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

// TestExpected checks that a deployment fails if an expected minion is missing.
func TestExpected(t *testing.T) {
	t.Parallel()
	const top = "prod:\n  web1: [web]\n  'web2 or G@os:x': [web]\n  'db*': [web]\n"
	all := []string{"web1", "web2", "db1"}
	for name, tt := range map[string]struct {
		top     string
		minions []string
		change  func(*spirodeploy.Options)
		missed  []string
		verdict report.Verdict
		says    string
		warns   string
	}{
		"all there":               {top: top, minions: all, verdict: report.Success},
		"a glob has nobody":       {top: top, minions: []string{"web1", "web2"}, verdict: report.Success},
		"one is down":             {top: top, minions: []string{"web1", "db1"}, missed: []string{"web2"}, verdict: report.MinionFailed, says: "1 of 3 minions was not reached (web2): on the master, salt-run manage.down"},
		"two are down":            {top: top, minions: []string{"db1"}, missed: []string{"web1", "web2"}, verdict: report.MinionFailed, says: "2 of 3 minions were not reached (web1, web2)"},
		"one is down, tolerated":  {top: top, minions: []string{"web1"}, change: func(o *spirodeploy.Options) { o.MissingMinions = report.Warn }, verdict: report.Success, says: "deployed: 1 minion, 1 state, 0 changed; 1 minion was expected and not reached: web2", warns: "1 minion was expected and not reached: web2"},
		"none is there":           {top: top, verdict: report.MinionFailed, says: "2 of 2 minions were not reached (web1, web2)", missed: []string{"web1", "web2"}},
		"no glob has anybody":     {top: "prod: {'web*': [web]}\n", verdict: report.MinionFailed, says: "no minion is concerned"},
		"expected by a flag":      {top: top, minions: all, change: func(o *spirodeploy.Options) { o.ExpectMinions = []string{"db1", "db2"} }, missed: []string{"db2"}, verdict: report.MinionFailed, says: "(db2)"},
		"expected without an id":  {top: top, minions: all, change: func(o *spirodeploy.Options) { o.ExpectMinions = []string{"db1", " "} }, verdict: report.Invalid, says: `expected minion " ": it is empty: is a variable not set?`},
		"no id":                   {top: top, minions: all, change: func(o *spirodeploy.Options) { o.ExpectMinions = []string{"eu/db1"} }, verdict: report.Invalid, says: `expected minion "eu/db1": it has a character that no id has`},
		"odd ids of a report":     {top: top, minions: all, change: func(o *spirodeploy.Options) { o.ExpectMinions = []string{"rack1,slot2", "web[1]"} }, missed: []string{"rack1,slot2", "web[1]"}, verdict: report.MinionFailed, says: "2 of 5 minions were not reached (rack1,slot2, web[1])"},
		"too few":                 {top: top, minions: all, change: func(o *spirodeploy.Options) { o.MinMinions = 4 }, verdict: report.MinionFailed, says: "3 minions were reached, and 4 had to be"},
		"too few, and one absent": {top: top, minions: []string{"web1", "db1"}, change: func(o *spirodeploy.Options) { o.MinMinions = 3 }, missed: []string{"web2"}, verdict: report.MinionFailed, says: "lists those that are down; 1 of 3 minions was not reached (web2)"},
		"enough":                  {top: top, minions: all, change: func(o *spirodeploy.Options) { o.MinMinions = 3 }, verdict: report.Success},
		"too few, tolerated":      {top: top, minions: all, change: func(o *spirodeploy.Options) { o.MinMinions, o.MissingMinions = 4, report.Warn }, verdict: report.Success, says: "deployed: 3 minions, 3 states, 0 changed; 4 minions had to be reached", warns: "4 had to be"},
		"no highstate":            {top: top, change: func(o *spirodeploy.Options) { o.NoHighstate = true }, verdict: report.Success},
		"another match":           {top: "prod: {'a,b': [{match: list}, web]}\n", minions: []string{"a"}, missed: []string{"b"}, verdict: report.MinionFailed, says: "(b)"},
		"grains are not literal":  {top: "prod: {'os:x': [{match: grain}, web], 'web8': [{match: pcre}, web], '*': [web]}\n", minions: []string{"web9"}, verdict: report.Success},
		"no top file":             {minions: nil, verdict: report.Success, warns: "no minion is concerned"},
		"no top file, but a flag": {change: func(o *spirodeploy.Options) { o.MinMinions = 1 }, verdict: report.MinionFailed, says: "no minion is concerned"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := spirotest.New(t, spirotest.Options{Minions: minionsOf(tt.minions)})
			files := map[string]string{"_salt/web.sls": "hello:\n  test.nop: []\n"}
			if tt.top != "" {
				files["_salt/spirotop.sls"] = tt.top
			}
			opts := options(t, server, project(t, files))
			if tt.change != nil {
				tt.change(&opts)
			}
			var told []string
			opts.Watch = func(u report.Update) {
				if u.Kind == report.Missed {
					told = append(told, u.Minion.ID)
				}
			}
			rep, err := spirodeploy.Deploy(t.Context(), opts)
			target := rep.Targets[0]
			if rep.Verdict != tt.verdict || report.Classify(err) != tt.verdict || !strings.Contains(target.Summary, tt.says) {
				t.Errorf("%s: %s", rep.Verdict, target.Summary)
			}
			if strings.Count(target.Summary, "manage.down") > 1 {
				t.Errorf("it says twice what helps: %s", target.Summary)
			}
			var missed []string
			for _, m := range target.Minions {
				if m.Status == highstate.NotReached {
					missed = append(missed, m.ID)
				}
			}
			if !slices.Equal(missed, tt.missed) || !slices.Equal(told, tt.missed) {
				t.Errorf("not reached are %q, told of %q, want %q", missed, told, tt.missed)
			}
			if all := strings.Join(target.Warnings, "\n"); tt.warns != "" && !strings.Contains(all, tt.warns) {
				t.Errorf("warnings %q", all)
			}
			for format, view := range map[string]func() string{
				"text":     func() string { var b strings.Builder; _ = view.Text(&b, rep, view.TextOptions{}); return b.String() },
				"html":     func() string { var b strings.Builder; _ = view.HTML(&b, rep); return b.String() },
				"junit":    func() string { var b strings.Builder; _ = view.JUnit(&b, rep); return b.String() },
				"markdown": func() string { var b strings.Builder; _ = view.Markdown(&b, rep); return b.String() },
				"json":     func() string { var b strings.Builder; _ = rep.WriteJSON(&b); return b.String() },
			} {
				text := view()
				for _, id := range tt.missed {
					if !strings.Contains(text, id) || !strings.Contains(text, "manage.down") || !strings.Contains(text, "test.ping") {
						t.Errorf("%s does not say what became of %s, and what to look at:\n%s", format, id, text)
					}
				}
			}
		})
	}
}

func minionsOf(ids []string) []spirotest.Minion {
	var list []spirotest.Minion
	for _, id := range ids {
		list = append(list, spirotest.Minion{ID: id})
	}
	return list
}

// TestExpectedSomewhere checks that one of several targets must reach an expected minion,
// and that the verdict is unknown if one of them did not end.
func TestExpectedSomewhere(t *testing.T) {
	t.Parallel()
	files := map[string]string{"_salt/web.sls": "hello:\n  test.nop: []\n", "_salt/spirotop.sls": "prod: {web1: [web], web2: [web], web3: [web]}\n"}
	for name, tt := range map[string]struct {
		second  []spirotest.Minion
		stream  string
		missed  []string
		verdict report.Verdict
	}{
		"each has some":    {second: minionsOf([]string{"web2", "web3"}), verdict: report.Success},
		"nobody has one":   {second: minionsOf([]string{"web2"}), missed: []string{"web3"}, verdict: report.MinionFailed},
		"one does not end": {stream: "event: deploy-bundle\ndata: {}\n\n", verdict: report.Unknown},
		"one has failed":   {second: []spirotest.Minion{{ID: "web2", Result: spirotest.NoAnswer()}, {ID: "web3"}}, verdict: report.MinionFailed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first := spirotest.New(t, spirotest.Options{Minions: minionsOf([]string{"web1"})})
			second := spirotest.New(t, spirotest.Options{Minions: tt.second})
			if tt.stream != "" {
				second.Replay([]byte(tt.stream))
			}
			opts := options(t, first, project(t, files))
			for i, s := range []*spirotest.Server{first, second} {
				tok, err := token.Parse(s.Token(time.Hour, "shop"))
				if err != nil {
					t.Fatal(err)
				}
				opts.Targets = append(opts.Targets, spirodeploy.Target{Name: fmt.Sprint("site", i), Server: &client.Options{Server: s.URL(), Token: tok, Insecure: true}})
			}
			rep, _ := spirodeploy.Deploy(t.Context(), opts)
			if rep.Verdict != tt.verdict {
				t.Errorf("%s: %s", rep.Verdict, rep.Summary())
			}
			for _, target := range rep.Targets {
				var missed []string
				for _, m := range target.Missed() {
					missed = append(missed, m.ID)
				}
				if !slices.Equal(missed, tt.missed) {
					t.Errorf("%s: not reached are %q", target.Name, missed)
				}
			}
		})
	}
}

// TestSilent checks the warning about minions that did not answer the server.
func TestSilent(t *testing.T) {
	t.Parallel()
	server := spirotest.New(t, spirotest.Options{})
	server.Replay([]byte("event: deploy-bundle\ndata: {}\n\nevent: highstate-start\ndata: {\"minions\": [\"db1\"], \"missing\": [\"web1\", \"db2\", \"old\"]}\n\n" +
		"event: highstate-update\ndata: {\"minion\": \"db1\", \"result\": {\"ret\": {\"a_|-b_|-c_|-d\": {\"result\": true}}, \"retcode\": 0}}\n\nevent: highstate-finish\ndata: {}\n\n"))
	rep, _ := spirodeploy.Deploy(t.Context(), options(t, server, project(t, map[string]string{
		"_salt/web.sls": "hello:\n  test.nop: []\n", "_salt/spirotop.sls": "prod: {web1: [web], 'db*': [web]}\n",
	})))
	target := rep.Targets[0]
	missed := target.Missed()
	if rep.Verdict != report.MinionFailed || len(missed) != 1 || missed[0].ID != "web1" || !strings.Contains(strings.Join(missed[0].Messages, ""), "did not answer when the server asked") {
		t.Errorf("%s: %s, %+v", rep.Verdict, target.Summary, missed)
	}
	if all := strings.Join(target.Warnings, "\n"); !strings.Contains(all, "may concern 1 minion that did not answer the server: db2;") {
		t.Errorf("warnings %q", all)
	}
}

// TestManySilent checks that a run ends even if the server names as many silent minions as it
// may, and the top file very many targets.
func TestManySilent(t *testing.T) {
	t.Parallel()
	server := spirotest.New(t, spirotest.Options{})
	var ids, targets strings.Builder
	for i := range client.MaxMinions {
		fmt.Fprintf(&ids, `,"m%d"`, i)
	}
	for i := range 5000 {
		fmt.Fprintf(&targets, "  'web%d* and not ( db%[1]d or G@x:y )': [web]\n", i)
	}
	server.Replay(fmt.Appendf(nil, "event: deploy-bundle\ndata: {}\n\nevent: highstate-start\ndata: {\"minions\": [], \"missing\": [%s]}\n\nevent: highstate-finish\ndata: {}\n\n", ids.String()[1:]))
	rep, _ := spirodeploy.Deploy(t.Context(), options(t, server, project(t, map[string]string{
		"_salt/web.sls": "hello:\n  test.nop: []\n", "_salt/spirotop.sls": "prod:\n" + targets.String(),
	})))
	// Those that were not held against all targets may be concerned.
	if all := strings.Join(rep.Targets[0].Warnings, "\n"); !strings.Contains(all, "may concern 99000 minions that did not answer the server: ") {
		t.Errorf("warnings %.300q", all)
	}
}

// TestTopFile checks that problems of the top file are found before the upload.
func TestTopFile(t *testing.T) {
	t.Parallel()
	web := map[string]string{"_salt/web.sls": "hello:\n  test.nop: []\n"}
	for name, tt := range map[string]struct {
		files   map[string]string
		change  func(*spirodeploy.Options)
		verdict report.Verdict
		says    []string // of errors, or else of warnings
	}{
		"YAML":                          {map[string]string{"_salt/spirotop.sls": "prod:\n  '*': [web\n"}, nil, report.Invalid, []string{"_salt/spirotop.sls:"}},
		"YAML, even if tolerated":       {map[string]string{"_salt/spirotop.sls": "prod: [\n"}, func(o *spirodeploy.Options) { o.MissingMinions, o.NoHighstate = report.Warn, true }, report.Invalid, []string{"_salt/spirotop.sls:"}},
		"deployment":                    {map[string]string{"_salt/spirotop.sls": "canary: {'*': [web]}\nprodd: {'*': [web]}\n"}, nil, report.Invalid, []string{"deployment prod is not in _salt/spirotop.sls", "canary, prodd", "did you mean prodd?"}},
		"deployment, no highstate":      {map[string]string{"_salt/spirotop.sls": "canary: {'*': [web]}\n"}, func(o *spirodeploy.Options) { o.NoHighstate = true }, report.Success, []string{"deployment prod is not in _salt/spirotop.sls"}},
		"deployment, tolerated":         {map[string]string{"_salt/spirotop.sls": "canary: {'*': [web]}\n"}, func(o *spirodeploy.Options) { o.MissingMinions = report.Warn }, report.Success, []string{"deployment prod is not in _salt/spirotop.sls"}},
		"SLS":                           {map[string]string{"_salt/spirotop.sls": "prod: {'*': [web, nginx]}\n"}, nil, report.Invalid, []string{"names the SLS nginx, and the bundle has neither nginx.sls nor nginx/init.sls"}},
		"SLS and token":                 {map[string]string{"_salt/spirotop.sls": "prod: {'*': [nginx]}\n"}, func(o *spirodeploy.Options) { o.Project = "blog" }, report.Invalid, []string{"the SLS nginx", "not for the project blog"}},
		"reference":                     {map[string]string{"_salt/spirotop.sls": "prod: {'*': [web]}\n", "_salt/web.sls": "a:\n  file.managed:\n    - source: salt://nowhere\n"}, nil, report.Success, []string{"_salt/web.sls:3", "salt://nowhere"}},
		"reference, strict":             {map[string]string{"_salt/spirotop.sls": "prod: {'*': [web]}\n", "_salt/web.sls": "a:\n  file.managed:\n    - source: salt://nowhere\n"}, func(o *spirodeploy.Options) { o.Strict = true }, report.Invalid, []string{"salt://nowhere", "Options.Strict"}},
		"both":                          {map[string]string{"_salt/spirotop.sls": "prod: {'*': [web]}\n", "_salt/top.sls": "shop/prod: {'*': [web]}\n"}, nil, report.Success, []string{"top.sls", "spirotop.sls"}},
		"neither":                       {nil, nil, report.Success, []string{"spirotop.sls"}},
		"neither, strict, no highstate": {nil, func(o *spirodeploy.Options) { o.Strict, o.NoHighstate = true, true }, report.Success, nil},
		"linked":                        {map[string]string{"_salt/spirotop.sls": "prod: {'*': [linked]}\n", "_salt/common/init.sls": "a:\n  test.nop: []\n", "_salt/linked": "->common"}, nil, report.Success, nil},
		"caller's warning, strict":      {map[string]string{"_salt/spirotop.sls": "prod: {'*': [web]}\n"}, func(o *spirodeploy.Options) { o.Strict, o.Warnings = true, []string{"odd"} }, report.Invalid, []string{"odd: Options.Strict"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := spirotest.New(t, spirotest.Options{Minions: []spirotest.Minion{{ID: "web1"}}})
			files := map[string]string{}
			for _, set := range []map[string]string{web, tt.files} {
				for n, text := range set {
					files[n] = text
				}
			}
			opts := options(t, server, project(t, files))
			if tt.change != nil {
				tt.change(&opts)
			}
			rep, err := spirodeploy.Deploy(t.Context(), opts)
			said := strings.Join(rep.Targets[0].Warnings, "\n")
			if tt.verdict == report.Invalid {
				said = fmt.Sprint(err)
			}
			if rep.Verdict != tt.verdict {
				t.Errorf("%s: %s", rep.Verdict, rep.Summary())
			}
			for _, want := range tt.says {
				if !strings.Contains(said, want) {
					t.Errorf("it says %q, want %q", said, want)
				}
			}
			if sent := posts(server) > 0; sent != (tt.verdict != report.Invalid) {
				t.Errorf("%d POSTs", posts(server))
			}
		})
	}
}

// TestSerialExpected checks that a serial rollout stops at a target whose minion is down,
// unless a later target expects the minion as well.
func TestSerialExpected(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		top  string
		want string
	}{
		"its own minion": {"canary: {can1: [web], can2: [web]}\nprod: {can1: [web]}\n", "minion-failed, then not-started"},
		"of both":        {"canary: {can1: [web], can2: [web]}\nprod: {can1: [web], can2: [web]}\n", "minion-failed, then minion-failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := spirotest.New(t, spirotest.Options{Minions: minionsOf([]string{"can1"})})
			opts := options(t, server, project(t, map[string]string{"_salt/web.sls": "hello:\n  test.nop: []\n", "_salt/spirotop.sls": tt.top}))
			opts.Serial = true
			opts.Targets = []spirodeploy.Target{{Name: "canary", Deployment: "canary"}, {Name: "prod", Deployment: "prod"}}
			rep, _ := spirodeploy.Deploy(t.Context(), opts)
			if got := fmt.Sprint(rep.Targets[0].Verdict, ", then ", rep.Targets[1].Verdict); got != tt.want {
				t.Errorf("verdicts %s, want %s", got, tt.want)
			}
		})
	}
}

// TestForeignBundle deploys a tar as "tar -C _salt ." makes it, whose names begin with "./"
// and which may have hard links. The server sees neither.
func TestForeignBundle(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range []struct{ name, link, text string }{
		{name: "./"}, {name: "./a.txt", text: "prod: {'*': ['web.*', direct]}\n"}, {name: "./spirotop.sls", link: "./a.txt"}, {name: "./web/"}, {name: "./web/one.sls", text: "a:\n  test.nop: []\n"}, {name: "./direct.sls", text: "{}\n"},
	} {
		h := &tar.Header{Name: e.name, Mode: 0o755, Size: int64(len(e.text)), Linkname: e.link, Typeflag: tar.TypeReg}
		switch {
		case strings.HasSuffix(e.name, "/"):
			h.Typeflag = tar.TypeDir
		case e.link != "":
			h.Typeflag = tar.TypeLink
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e.text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	server := spirotest.New(t, spirotest.Options{Minions: []spirotest.Minion{{ID: "web1", Result: spirotest.States(
		spirotest.State{SLS: "web.one", ID: "a", Function: "test.nop"}, spirotest.State{SLS: "web/one", ID: "b", Function: "test.nop"})}}})
	opts := options(t, server, "")
	opts.File = filepath.Join(t.TempDir(), "b.tar")
	if err := os.WriteFile(opts.File, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	rep, err := spirodeploy.Deploy(t.Context(), opts)
	if err != nil || strings.Contains(strings.Join(rep.Targets[0].Warnings, ""), "applied SLS") {
		t.Errorf("%v, warnings %q", err, rep.Targets[0].Warnings)
	}
}

// TestManyMinions checks that an expected minion is reported missing even if the server
// names as many minions as it may, and names them again.
func TestManyMinions(t *testing.T) {
	t.Parallel()
	server := spirotest.New(t, spirotest.Options{})
	var ids, updates strings.Builder
	for i := range client.MaxMinions {
		fmt.Fprintf(&ids, `,"m%d"`, i)
		fmt.Fprintf(&updates, "event: highstate-update\ndata: {\"minion\": \"m%d\", \"result\": {\"ret\": {\"a\": {\"result\": true}}}}\n\n", i)
	}
	start := fmt.Sprintf("event: highstate-start\ndata: {\"minions\": [%s], \"missing\": [%[1]s]}\n\n", ids.String()[1:])
	server.Replay([]byte("event: deploy-bundle\ndata: {}\n\n" + start + start + updates.String() + "event: highstate-finish\ndata: {}\n\n"))
	rep, _ := spirodeploy.Deploy(t.Context(), options(t, server, project(t, map[string]string{
		"_salt/web.sls": "hello:\n  test.nop: []\n", "_salt/spirotop.sls": "prod: {'*': [web], want1: [web]}\n",
	})))
	if rep.Verdict != report.MinionFailed || !strings.Contains(rep.Targets[0].Summary, "not reached (want1)") {
		t.Errorf("%s: %s", rep.Verdict, rep.Targets[0].Summary)
	}
}
