package cli

import (
	"strings"
	"testing"
)

// TestParseTargets: a list is taken as it is meant, or every problem in it is told in words
// that are not Go's.
func TestParseTargets(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{ // the names and servers, or what the error says
		"":                          "",
		"# nothing\n":               "",
		"[]\n":                      "",
		"- {name: a, server: s}\n":  "a s",
		"\ufeff- {name: a}\n":       "a ",
		"%YAML 1.1\n---\n- {}\n...": " ",
		"- {name: 12, server: 010}": "12 010",
		"- &x {name: a, server: s}\n- {<<: *x, name: b}\n": "a s, b s",
		"- {name: a, insecure: yes}\n":                     "a  insecure",
		"- {name: a, insecure: true}\n":                    "a  insecure",
		"- {name: a}\n---\n- {name: b}\n":                  "! there is a second document, after a line ---",
		"- name: a\n  server:\n":                           "! line 2: server has no value: give it one, or leave it out",
		"- {server: ' '}\n":                                "! line 1: server has no value",
		"- {insecure: ~}\n":                                "! line 1: insecure has no value",
		"- {name: a}\n-\n":                                 "! line 2: target 2 is empty",
		"- {1: x}\n":                                       `! line 1: unknown key "1": a target has name, server, project,`,
		"- {name: a, name: b}\n":                           `! line 1: mapping key "name" already defined at line 1`,
		"- {insecure: 'true'}\n":                           "! line 1: `true` is not true or false",
		"- {? [a] : b}\n":                                  "! line 1: a list is not a text",
		"name: a\n":                                        "! line 1: a mapping is not a list of targets",
		"- a\n":                                            "! line 1: `a` is not a target: that has keys and values",
		"- !!str x\n":                                      "! line 1: `x` is not a target",
		"- name: \"a\n":                                    "! line 2: found unexpected end of stream",
		"- {name: *x}\n":                                   "! line 1: unknown anchor 'x'",
		"- {name: [a], server: {a: b}}\n- {sever: x}\n-\n": "! 4 problems:\n  - line 1: a list is not a text\n  - line 1: a mapping is not a text\n  - line 2: unknown key \"sever\"",
	} {
		list, err := parseTargets([]byte(text))
		var got []string
		for _, l := range list {
			one := l.Name + " " + l.Server
			if l.Insecure != nil && *l.Insecure {
				one += " insecure"
			}
			got = append(got, one)
		}
		says, isError := strings.CutPrefix(want, "! ")
		switch {
		case isError != (err != nil):
			t.Errorf("%q: %q, %v", text, got, err)
		case isError && (!strings.HasPrefix(err.Error(), says) || strings.Contains(err.Error(), "cli.")):
			t.Errorf("%q: %v, want %s", text, err, says)
		case !isError && strings.Join(got, ", ") != want:
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
