package topfile_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/spirodeploy/topfile"
)

func section(t *testing.T, source, name string) *topfile.Section {
	t.Helper()
	file, err := topfile.Parse([]byte(source))
	if err != nil {
		t.Fatal(err)
	}
	s, ok := file.Section(name)
	if !ok {
		t.Fatalf("%q has no %s", source, name)
	}
	return s
}

// TestRefused has the place and the words of what the server refuses.
func TestRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, source, want string }{
		{"tab", "prod:\n\tweb1: [web]\n", "line 2, column 1: while scanning for the next token: found character that cannot start any token: indent with spaces, not with tabs"},
		{"tab in an empty line", "prod:\n  web1:\n  - a\n \t\n", "line 4, column 2: a tab stands where YAML takes spaces only: indent with spaces"},
		{"tab before a comment", "prod: {}\n\t# c\nx: y\n", "line 2, column 1: a tab stands where YAML takes spaces only: indent with spaces"},
		{"tab after a quoted text", "prod:\n  a: 'b'\n \t\n  c: d\n", "line 3, column 2: a tab stands where YAML takes spaces only: indent with spaces"},
		{"tab after a dash", "prod:\n  web1:\n  -\tweb\n", "line 3, column 5: a tab stands where YAML takes spaces only"},
		{"tab after the last dash", "prod:\n  'web*':\n    - \t", "line 3, column 6: a tab stands where YAML takes spaces only"},
		{"tab after a dash of nothing", "prod:\n  web1:\n  - \t# c\n  - web\n", "line 3, column 4: a tab stands where YAML takes spaces only"},
		{"tab after a question mark of nothing", "prod:\n  ? \t\n  : [web]\n", "line 2, column 4: a tab stands where YAML takes spaces only"},
		{"tab after a colon of nothing", "? prod\n: \t\n", "line 2, column 2: a tab stands where YAML takes spaces only"},
		{"tab between a dash and its item", "prod:\n  web1:\n  - a\n  -\t\n    - b\n", "line 4, column 4: a tab stands where YAML takes spaces only"},
		{"tab below a dash", "prod:\n  web1:\n  - a\n  -\n   \t\n    - b\n", "line 5, column 4: a tab stands where YAML takes spaces only"},
		{"tab below a key", "prod:\n  \t\n  or ", "line 2, column 3: a tab stands where YAML takes spaces only: indent with spaces"},
		{"tab below the beginning", "%YAML 1.2\n--- # c\n\t", "line 3, column 1: a tab stands where YAML takes spaces only: indent with spaces"},
		{"two documents", "---\nprod: {}\n---\nx: y\n", "line 3, column 1: a second document begins here: the server takes one document"},
		{"one key twice", "prod:\n  web1: [a]\n  web1: [b]\n", "line 3, column 3: the key web1 is there twice, first in line 2"},
		{"equal keys", "prod:\n  1: [a]\n  yes: [b]\n", "line 3, column 3: the key yes is there twice, first in line 2"},
		{"equal bytes", "prod:\n  !!binary weba: [a]\n  !!binary web[!a]: [b]\n", "line 3, column 3: the key web[!a] is there twice, first in line 2"},
		{"merged twice", "a: &a {x: [1]}\nb: &b {x: [2]}\nprod:\n  <<: [*a, *b]\n", "line 1, column 8: the key x is there twice, first in line 2"},
		{"glued comments in a large file", strings.Repeat("- [a]# b\n", 90) + "#" + strings.Repeat("x", topfile.MaxSize/3), "line 12, column 6: found a comment without preceding whitespace"},
		{"star", "prod:\n  *: [web]\n", "line 2, column 4: while scanning an alias: did not find expected alphabetic or numeric character: put a target that begins with * in quotes: '*'"},
		{"star and text", "prod:\n  *.example.com: [web]\n", "put a target that begins with * in quotes"},
		{"unknown alias", "prod: *zz\n", "line 1, column 7: unknown anchor 'zz' referenced"},
		{"anchor twice", "a: &a 1\nb: &a 2\n", "line 2, column 4: the anchor &a is there twice"},
		{"tag", "prod: !!python/object/apply:os.system [ls]\n", "line 1, column 7: the tag !!python/object/apply:os.system is not allowed"},
		{"Jinja", "{% if x %}\nprod: {}\n{% endif %}\n", "the server reads this file as plain YAML, without Jinja"},
		{"Jinja expression", "prod:\n  {{ x }}: [web]\n", "line 2, column 4: a mapping is no key: if this is Jinja, the server does not render it"},
		{"unclosed", "prod: [a\n", "line 2, column 1: while parsing a flow sequence from line 1: did not find expected ',' or ']'"},
		{"two colons", "prod: a: b\n", "line 1, column 8: mapping values are not allowed in this context"},
		{"Latin-1", "prod:\n  caf\xe9: [a]\n", "line 2, column 6: the file is not UTF-8: save it as UTF-8"},
		{"UTF-16", "\xff\xfep\x00", "line 1, column 1: the file is not UTF-8"},
		{"two byte order marks", "\ufeff\ufeffprod: {}\ntest: {}\n", "line 1, column 1: a byte order mark stands inside the file"},
		{"byte order mark in a line below", "x: y\n\ufeffprod: {}\n", "line 2, column 1: a byte order mark stands inside the file"},
		{"control character", "prod:\n  a: [\x07]\n", "line 2, column 7: the character U+0007 is not allowed"},
		{"list", "- prod\n", "line 1, column 1: the file is a list, not a mapping"},
		{"text", "prod\n", "line 1, column 1: the file is a text, not a mapping"},
		{"no number", "prod: !!int x\n", `line 1, column 7: "x" is not what the tag !!int is for`},
		{"capital prefix", "prod: !!int -0B1\n", `"-0B1" is not what the tag !!int is for`},
		{"octal to base 60", "prod: !!int -01:30\n", `"-01:30" is not what the tag !!int is for`},
		{"second sign before a prefix", "prod: !!int -+0x1\n", `"-+0x1" is not what the tag !!int is for`},
		{"deep", strings.Repeat("[", 201) + strings.Repeat("]", 201), "the nesting is deeper than 200 levels"},
		{"large", "#" + strings.Repeat("x", topfile.MaxSize), "the file has more than 1048576 bytes"},
		{"end first", "...\nprod: {}\n", "line 1, column 1: a document ends here and none has begun"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := topfile.Parse([]byte(tt.source))
			var syntax *topfile.SyntaxError
			if !errors.As(err, &syntax) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v\nwant %s", err, tt.want)
			} else if syntax.Exception == "" {
				t.Error("no exception")
			}
		})
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"":                                 "",
		"\n":                               "",
		"[]":                               "",
		"prod:\ncanary:\n":                 "prod canary",
		"on: {}\nno: {}\nprod: {}\n2: {}":  "prod",
		"1:30: {}\n0o17: {}\n1e3: {}\n~: ": "0o17 1e3",
		"2024-01-01: {}\ny: {}\n'no': {}":  "2024-01-01 y no",
		"\ufeffprod:\r\n  a: [b]\r\n":      "prod",
		"---\t# c\nprod: \t\n":             "prod",
		"? prod\n \t\n  x\n: \n":           "prod\nx",
		"prod: x\n  - \t\n":                "prod",
		"---\n...\n":                       "",
		"a: &a {x: y}\n<<: *a\n":           "x a",
	} {
		file, err := topfile.Parse([]byte(source))
		if err != nil {
			t.Errorf("%q: %v", source, err)
		} else if got := strings.Join(file.Names(), " "); got != want || file.Empty() != (want == "" && !strings.Contains(source, ":")) {
			t.Errorf("%q: %q, empty %v, want %q", source, got, file.Empty(), want)
		}
	}
}

func TestExpected(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		target, want string
	}{
		{"web1: [a]", "web1"},
		{"web1.example.com: [a]", "web1.example.com"},
		{"user@host: [a]", "user@host"},
		{"'*': [a]", ""},
		{"'web[12]': [a]", ""},
		{"'web1 or db1': [a]", "web1 db1"},
		{"'web1 or web*': [a]", "web1"},
		{"'a or G@os:x': [a]", "a"},
		{"'a and G@os:x': [a]", ""},
		{"'a and b': [a]", ""},
		{"'a and a': [a]", "a"},
		{"'not a': [a]", ""},
		{"'a or not b': [a]", "a"},
		{"'not not a': [a]", ""},
		{"'a not b': [a]", "a"},
		{"'a and not b': [a]", "a"},
		{"'( a or b ) and not b': [a]", "a"},
		{"'( a or b ) and G@x:y or c': [a]", "c"},
		{"'(a or b)': [a]", "(a b)"}, // Salt takes parentheses by themselves only
		{"'L@a,b': [a]", "a b"},
		{"'L@a,b and not a': [a]", "b"},
		{"'L@a,b,': [a]", "a b"},
		{"'a b': [a]", ""},
		{"'a or': [a]", ""},
		{"'or a': [a]", ""},
		{"'a ( b )': [a]", ""},
		{"'': [a]", ""},
		{"'a or N@group': [a]", ""},
		{"'a or R@%range': [a]", ""},
		{"'E@web.*': [a]", ""},
		{"'S@10.0.0.0/8': [a]", ""},
		{"'P@os:.*': [a]", ""},
		{"'X@a': [a]", ""},
		{"'web1 or *': [a]", "web1"},
		{"'* and not web1': [a]", ""},
		{"a: [{match: compound}, x]", "a"},
		{"a: [{match: glob}, x]", "a"},
		{"'a*': [{match: glob}, x]", ""},
		{"'a,b': [{match: list}, x]", "a b"},
		{"'a, b': [{match: list}, x]", "a"},
		{"a: [{match: pcre}, x]", ""},
		{"'os:x': [{match: grain}, x]", ""},
		{"a: [{match: nodegroup}, x]", ""},
		{"a: [{match: list}, x, {match: glob}]", "a"},
		{"1: [a]", ""},
		{"on: [a]", ""},
		{"a: []", "a"},
		{"a: x", "a"},
		{"{web1: [a], 'web1 or db1': [b]}", "web1 db1"},
		{"? '" + strings.Repeat("a or ", 1000) + "a'\n  : [a]", ""},
	} {
		t.Run(tt.target[:min(len(tt.target), 40)], func(t *testing.T) {
			t.Parallel()
			s := section(t, "prod:\n  "+tt.target+"\n", "prod")
			if got := strings.Join(s.Expected(), " "); got != tt.want || !s.HasTargets() {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestSection(t *testing.T) {
	t.Parallel()
	const source = "all: &all\n  '*':\n  - base\nprod:\n  <<: *all\n  'db1,db2':\n  - match: list\n  - db\n  - shop/x: other\n  - shop/prod: own\n"
	s := section(t, source, "prod")
	if s.Name != "prod" || s.Line != 4 || s.Column != 1 || s.Template || s.Broken() {
		t.Errorf("%+v", s)
	}
	var got []string
	for _, target := range s.Targets {
		got = append(got, fmt.Sprintf("%s %s %d:%d", target.Expression, target.Match, target.Line, target.Column))
		for _, sls := range target.SLS {
			got = append(got, fmt.Sprintf("%s %q %d:%d", sls.Name, sls.Env, sls.Line, sls.Column))
		}
	}
	want := []string{"* compound 2:3", `base "" 3:5`, "db1,db2 list 6:3", `db "" 8:5`, `other "shop/x" 9:13`, `own "shop/prod" 10:16`}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
	var names []string
	for _, sls := range s.SLS("shop/prod") {
		names = append(names, sls.Name)
	}
	if !slices.Equal(names, []string{"base", "db", "own"}) {
		t.Error(names)
	}
	var none *topfile.Section
	if none.Expected() != nil || none.HasTargets() || none.Broken() || none.SLS("") != nil {
		t.Error("a nil section names somebody")
	}
}

// TestAsWritten: a key that is not a text keeps the form in which it is written.
func TestAsWritten(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"0x1F", "Yes", "1_0", "!!binary web[!a]"} {
		targets := section(t, "prod:\n  "+key+": [web]\n", "prod").Targets
		if want := strings.TrimPrefix(key, "!!binary "); len(targets) != 1 || targets[0].Expression != want {
			t.Errorf("%+v, want %s", targets, want)
		}
	}
	if file, err := topfile.Parse([]byte("!!binary '[!]'")); err != nil || !file.Empty() {
		t.Errorf("no bytes are not false: %v", err)
	}
}

func TestTemplate(t *testing.T) {
	t.Parallel()
	for _, source := range []string{"prod: {\"{{ x }}\": [web]}", "prod: {web1: ['{% x %}']}", "prod: {web1: [\"\\x7b{ x }}\"]}", "prod: {web1: [{match: '{# x #}'}]}"} {
		s := section(t, source, "prod")
		if !s.Template || !s.HasTargets() || s.Expected() != nil {
			t.Errorf("%s: %+v", source, s)
		}
	}
}

// TestBomb: aliases and merge keys that double need neither memory nor time.
func TestBomb(t *testing.T) {
	t.Parallel()
	var aliases, merges strings.Builder
	aliases.WriteString("a0: &a0 [x, x]\n")
	merges.WriteString("m0: &m0 {x: y}\n")
	for i := range 60 {
		fmt.Fprintf(&aliases, "a%d: &a%d [*a%d, *a%d]\n", i+1, i+1, i, i)
		fmt.Fprintf(&merges, "m%d: &m%d {<<: [*m%d, *m%d]}\n", i+1, i+1, i, i)
	}
	s := section(t, aliases.String()+"prod: {web1: *a60}\n", "prod")
	if !s.Broken() {
		t.Error("a section with 2^60 values is not broken")
	}
	file, err := topfile.Parse([]byte(aliases.String() + "prod: {web1: *a60}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.Generate("shop/prod", "prod"); err == nil {
		t.Error("it is written")
	}
	if _, err := topfile.Parse([]byte(merges.String())); err == nil {
		t.Error("merges are taken")
	}
	if s := section(t, "prod: &p {web1: [*p]}\n", "prod"); !s.Broken() {
		t.Error("a section that holds itself is not broken")
	}
}

func TestGenerate(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"":                                 "",
		"x: {}\n":                          "shop/prod: {}\n",
		"prod: {a: [! '', !, ! \"on\"]}\n": "shop/prod:\n  a:\n  - null\n  - ''\n  - true\n",
		"prod:\n  !!binary web[!a]: [!!binary ' YQ==']\n":       "shop/prod:\n  !!binary weba:\n  - !!binary YQ==\n",
		"prod:\n  b: [2, '2', on, 'on', 1.0, ~, '']\n  a: []\n": "shop/prod:\n  a: []\n  b:\n  - 2\n  - '2'\n  - true\n  - 'on'\n  - 1.0\n  - null\n  - ''\n",
	} {
		file, err := topfile.Parse([]byte(source))
		if err != nil {
			t.Fatal(err)
		}
		got, err := file.Generate("shop/prod", "prod")
		if normal := strings.ReplaceAll(string(got), `"`, "'"); err != nil || normal != want {
			t.Errorf("%q: %q, %v, want %q", source, got, err, want)
		}
	}
}

func TestMatches(t *testing.T) {
	t.Parallel()
	s := section(t, "prod: {'G@os:x and web* or N@db': [a]}", "prod")
	known := func(words ...string) func(string) bool {
		return func(w string) bool { return slices.Contains(words, w) }
	}
	for _, tt := range []struct {
		id    string
		known func(string) bool
		want  topfile.Answer
	}{
		{"web1", nil, topfile.Maybe},
		{"web1", known(), topfile.No},
		{"web1", known("G@os:x"), topfile.Yes},
		{"db1", known("G@os:x"), topfile.No},
		{"db1", known("N@db"), topfile.Yes},
	} {
		if got := s.Targets[0].Matches(tt.id, tt.known); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.id, got, tt.want)
		}
	}
}

// TestGluedComments: a comment needs no white space before it where something has ended, to
// libyaml.
func TestGluedComments(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"prod:\n  web1: [web]# c\n", "prod: {web1: [web]}# c\n# d\n", "prod: {\"web1\"# ä\n : [# c\n web]# d\n}\n", "prod: {'web1': ['web'# c\n]}\n", "\ufeffprod:\n  ä: [x]# 1\n  web1: [web]# 2\n",
		"prod:\n  web1: [web]\n  x:\n" + strings.Repeat("  - [a]# b\n", 200),
	} {
		file, err := topfile.Parse([]byte(text))
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		section, _ := file.Section("prod")
		if got := section.Expected(); !slices.Contains(got, "web1") {
			t.Errorf("%q: expected are %q", text, got)
		}
	}
}
