package spirotest_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
)

var (
	staging   = regexp.MustCompile(`deployment-\d+`)
	jid       = regexp.MustCompile(`"jid": "\d{20}"`)
	startTime = regexp.MustCompile(`"start_time": "[\d:.]{15}"`)
	started   = regexp.MustCompile(`"minions": \[(.*)\]}`)
)

func TestConcerned(t *testing.T) {
	t.Parallel()
	minions := []spirotest.Minion{
		{ID: "web1.example.com", Targets: []string{"G@roles:web"}},
		{ID: "db1"},
		{ID: "web[2]", Targets: []string{"G@roles:web", "web*, not db"}},
	}
	const all = `"web1.example.com", "db1", "web[2]"`
	tests := []struct {
		name, file, content, want string
	}{
		{"no top", "app.sls", "", ``},
		{"id", "spirotop.sls", "prod:\n  db1:\n    - app\n", `"db1"`},
		{"star", "spirotop.sls", "prod:\n  '*': [app]\n", all},
		{"glob", "spirotop.sls", "prod:\n  'web*': [app]\n", `"web1.example.com", "web[2]"`},
		{"question mark", "spirotop.sls", "prod:\n  'd?1': [app]\n", `"db1"`},
		{"sequence", "spirotop.sls", "prod:\n  '[a-d]b[!2-9]': [app]\n", `"db1"`},
		{"bracket in a sequence", "spirotop.sls", "prod:\n  'web[[]2[]]': [app]\n", `"web[2]"`},
		{"bracket never closed", "spirotop.sls", "prod:\n  'web[2': [app]\n", ``},
		{"case", "spirotop.sls", "prod:\n  'DB1': [app]\n", ``},
		{"part of an id", "spirotop.sls", "prod:\n  'b1': [app]\n", ``},
		{"listed target", "spirotop.sls", "prod:\n  'G@roles:web': [app]\n", `"web1.example.com", "web[2]"`},
		{"several targets", "spirotop.sls", "prod:\n  'web*, not db': [app]\n  db*:\n    - match: glob\n    - app\n", `"db1", "web[2]"`},
		{"other deployment", "spirotop.sls", "test:\n  '*': [app]\n", ``},
		{"empty spirotop", "spirotop.sls", "# nothing yet\n", ``},
		{"deployment without targets", "spirotop.sls", "prod:\n", ``},
		{"target with an empty list", "spirotop.sls", "prod:\n  db1: []\n", `"db1"`},
		{"a target without a list breaks the file", "spirotop.sls", "prod:\n  '*':\n  db1: []\n", ``},
		{"a text for the list", "spirotop.sls", "prod: {'db1': app}\n", ``},
		{"match type list", "spirotop.sls", "prod:\n  db1,web9:\n    - match: list\n    - app\n", `"db1"`},
		{"a list in a compound target", "spirotop.sls", "prod:\n  'L@db1,web9': [app]\n", `"db1"`},
		{"ids joined by or", "spirotop.sls", "prod:\n  'db1 or web9': [app]\n", `"db1"`},
		{"id and grain", "spirotop.sls", "prod:\n  'web* and G@roles:web': [app]\n", `"web1.example.com", "web[2]"`},
		{"not", "spirotop.sls", "prod:\n  '* and not web*': [app]\n", `"db1"`},
		{"on is a truth value", "spirotop.sls", "prod:\n  on: [app]\n", ``},
		{"byte order mark", "spirotop.sls", "\ufeffprod:\n  db1: [app]\n", `"db1"`},
		{"Jinja in quotes is rendered with top.sls", "spirotop.sls", "prod:\n  '{{ target }}': [app]\n", all},
		{"anchor", "spirotop.sls", "all: &all\n  '*': [app]\nprod: *all\n", all},
		{"own top", "top.sls", "shop/prod:\n  db1: [app]\n", `"db1"`},
		{"own top for base", "top.sls", "base:\n  '*': [app]\n", ``},
		{"own top in a list", "top.sls", "- shop/prod\n", ``},
		{"own top broken", "top.sls", "shop/prod: {\n", ``},
		{"jinja", "top.sls", "shop/prod:\n  {% if true %}\n  nobody: [app]\n  {% endif %}\n", all},
		{"jinja that is yaml", "top.sls", "shop/prod:\n  '{{ target }}': [app]\n", all},
		{"other renderer", "top.sls", "#!py\ndef run(): return {}\n", all},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			srv := spirotest.New(t, spirotest.Options{Minions: minions})
			stream := deploy(t, srv, "shop", "prod", makeTar(t, member{name: tt.file, content: tt.content}), highstate)
			got := started.FindStringSubmatch(stream)
			if got == nil || got[1] != tt.want {
				t.Errorf("stream\n%s\nwant minions %s", stream, tt.want)
			}
		})
	}
}

func TestGeneratedTop(t *testing.T) {
	t.Parallel()
	const targets = "prod:\n  '*':\n    - app\n    - match: glob\n  'G@roles:web and web1':\n    - app.web\n"
	tests := []struct {
		name    string
		members []member
		want    string // "" for none
	}{
		{"targets", []member{{name: "spirotop.sls", content: targets}},
			"shop/prod:\n  '*':\n  - app\n  - match: glob\n  G@roles:web and web1:\n  - app.web\n"},
		{"other deployment", []member{{name: "spirotop.sls", content: "test: {}\n"}}, "shop/prod: {}\n"},
		{"empty", []member{{name: "spirotop.sls", content: "\n"}}, ""},
		{"own top", []member{{name: "spirotop.sls", content: targets}, {name: "top.sls", content: "own: {}\n"}}, "own: {}\n"},
		{"none", []member{{name: "app.sls"}}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			srv := spirotest.New(t, spirotest.Options{})
			deploy(t, srv, "shop", "prod", makeTar(t, tt.members...))
			d, ok := srv.Deployment("shop", "prod")
			if !ok {
				t.Fatal("not deployed")
			}
			if tt.want == "" {
				if exists(d.Dir + "/top.sls") {
					t.Errorf("top.sls: %q, want none", read(t, d, "top.sls"))
				}
				return
			}
			// PyYAML and this writer quote differently.
			if got := strings.ReplaceAll(read(t, d, "top.sls"), `"`, "'"); got != tt.want {
				t.Errorf("top.sls\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

// TestNumberForADeployment: in YAML 1 is a number, and a number is no name.
func TestNumberForADeployment(t *testing.T) {
	t.Parallel()
	srv := spirotest.New(t, spirotest.Options{Minions: []spirotest.Minion{{ID: "web1"}}})
	for key, want := range map[string]string{"1": ``, "'1'": `"web1"`} {
		top := member{name: "spirotop.sls", content: key + ":\n  '*': [app]\n"}
		stream := deploy(t, srv, "shop", "1", makeTar(t, top), highstate)
		if got := started.FindStringSubmatch(stream); got == nil || got[1] != want {
			t.Errorf("key %s: stream\n%s\nwant minions %s", key, stream, want)
		}
	}
}
