package cli

import (
	"fmt"
	"strings"
	"testing"
)

// TestParseTargets: a list is taken as it is written, or refused with the place of each
// problem. No target is left out, and none gets a default for a key that is there.
func TestParseTargets(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ source, want string }{
		{"- name: eu\n  server: https://a/\n- name: us\n  insecure: true\n", "eu https://a/; us insecure=true"},
		{"\ufeff- name: eu\r\n", "eu"},
		{"---\n- name: eu\n...\n---\n", "eu"},
		// What YAML calls a number is a text all the same.
		{"- name: 010\n  deployment: 1.10\n- name: 0x10\n  deployment: 1_000\n- name: 1e3\n  deployment: no\n", "010 /1.10; 0x10 /1_000; 1e3 /no"},
		{"- name: !!str 1.0\n  deployment: \"2.0\"\n", "1.0 /2.0"},
		{"- &all\n  name: eu\n  server: https://a/\n- <<: *all\n  name: us\n", "eu https://a/; us https://a/"},
		{"- name: us\n  <<: [{name: x, project: a}, {project: b}]\n", "us a/"},

		{"", "list.yaml lists no target"},
		{"# nothing\n", "list.yaml lists no target"},
		{"{}\n", "list.yaml:1:1: this is not a list of targets: each begins with a dash"},
		{"- name: eu\n---\n- name: us\n", "list.yaml:3:1: a second list begins here, and only the first would count: put all targets into one"},
		{"- name: eu\n-\n", "list.yaml:2:2: this is not a target, which has keys such as name and server"},
		{"- server:\n  project: ''\n", "2 problems:\n  - list.yaml:1:3: server is given and empty: is a variable not set?\n  - list.yaml:2:3: project is given and empty: is a variable not set?"},
		{"- insecure: ~\n", "list.yaml:1:3: insecure is given and empty: is a variable not set?"},
		{"- insecure: yes\n", "list.yaml:1:13: insecure is neither true nor false"},
		{"- insecure: 'true'\n", "list.yaml:1:13: insecure is neither true nor false"},
		{"- name: [a]\n", "list.yaml:1:9: name is not a text"},
		{"- name: a\n  name: b\n", "list.yaml:2:3: the key name is there twice"},
		{"- sever: a\n", `list.yaml:1:3: unknown field "sever"`},
		{"- [name]: a\n", `list.yaml:1:3: unknown field ""`},
		{"- <<: a\n", "list.yaml:1:7: only a target can be merged"},
		{"- &a\n  <<: *a\n", "list.yaml:2:3: a target that is merged must not merge others"},
		{"- name: *a\n", "list.yaml:1:9: unknown anchor 'a' referenced"},
		{"- name: 'a\n", "list.yaml:2:1: found unexpected end of stream"},
	} {
		list, err := parseTargets("list.yaml", []byte(test.source))
		got := ""
		for i, l := range list {
			if i > 0 {
				got += "; "
			}
			got += l.Name
			if l.Server != "" {
				got += " " + l.Server
			}
			if l.Project+l.Deployment != "" {
				got += " " + l.Project + "/" + l.Deployment
			}
			if l.Insecure != nil {
				got += fmt.Sprintf(" insecure=%t", *l.Insecure)
			}
		}
		if err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%q gives\n%s\nwant\n%s", test.source, got, test.want)
		}
	}
}

// FuzzParseTargets: a list has targets, whose values are texts of it, or an error says why it has
// none.
func FuzzParseTargets(f *testing.F) {
	for _, seed := range []string{
		"- name: eu\n  server: https://a/\n", "- &a {name: b}\n- <<: *a\n", "- <<: [{name: x}, {project: y}]\n", "[]\n---\n", "- name: |\n    a\n",
		"- name: !!binary aGk=\n", "- ? name\n  : a\n", "- &a [*a]\n", "\ufeff- {insecure: true}\n", "%YAML 1.2\n---\n- name: 1.10\n...\n", "- name: *x\n", "- \x00",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		list, err := parseTargets("list.yaml", source)
		if err == nil && len(list) == 0 {
			t.Errorf("%q: no target and no error", source)
		}
		for _, l := range list {
			for key, text := range l.texts() {
				if err == nil && *text != "" && strings.TrimSpace(*text) == "" {
					t.Errorf("%q: %s is blank", source, key)
				}
			}
		}
	})
}
