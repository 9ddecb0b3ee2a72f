package cli

import (
	"fmt"
	"strings"
	"testing"
)

// TestList reads lists of targets. A text is what is written, whatever YAML takes it for.
func TestList(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ list, want string }{
		"texts":                      {"- {server: s, project: 1.10, deployment: 010, name: yes}\n- name: 2026-01-02\n  deployment: 0x1F\n", "yes s 1.10/010, 2026-01-02 /0x1F"},
		"quotes, tags, blocks":       {"- {name: '~', project: \"null\", deployment: !!str 1e3}\n- server: |\n    s\n  name: >-\n    a\n    b\n", "~ null/1e3, a b s /"},
		"byte order mark and CRLF":   {"\ufeff- name: a\r\n  server: s\r\n", "a s /"},
		"JSON":                       {`[{"name": "a", "insecure": true}]`, "a / insecure"},
		"insecure":                   {"- {name: a, insecure: True}\n- {name: b, insecure: false}\n", "a / insecure, b / secure"},
		"merge keys":                 {"- &a {name: a, server: s, project: p}\n- <<: *a\n  name: b\n- {name: c, <<: [{project: q}, *a]}\n", "a s p/, b s p/, c s q/"},
		"an alias":                   {"- {name: &x a}\n- {name: b, server: *x}\n", "a /, b a /"},
		"lines around documents":     {"---\n- name: a\n...\n---\n", "a /"},
		"nothing":                    {"# no target yet\n", ""},
		"null":                       {"---\n", ""},
		"no list":                    {"name: a\n", "l.yaml:1:1: it is not a list: each target begins with -"},
		"no target":                  {"- name: a\n-\n", "l.yaml:2:2: a target is a mapping"},
		"a list in a list":           {"- [name]\n", "l.yaml:1:3: a target is a mapping"},
		"two documents":              {"- name: a\n---\n- name: b\n", "l.yaml:2:1: a second document begins here"},
		"an unknown field":           {"- {Name: a}\n", `l.yaml:1:4: unknown field "Name"`},
		"a field twice":              {"- name: a\n  server: s\n  name: b\n", "l.yaml:3:3: name is given twice, first in line 1"},
		"no value":                   {"- name: a\n  token-file:\n", "l.yaml:2:3: token-file is given and empty: is a variable not set?"},
		"a blank value":              {"- {name: a, server: ' '}\n", "l.yaml:1:13: server is given and empty"},
		"no insecure":                {"- {name: a, insecure: }\n", "l.yaml:1:13: insecure is given and empty"},
		"a text for insecure":        {"- {name: a, insecure: 'true'}\n", "l.yaml:1:23: insecure is true or false"},
		"a word for insecure":        {"- {name: a, insecure: yes}\n", "l.yaml:1:23: insecure is true or false"},
		"null in so many words":      {"- &a {name: a, server: s, project: p, deployment: d, insecure: true}\n- {<<: *a, server: ~, project: null, deployment: Null, insecure: NULL}\n", "a s p/d insecure, a /"},
		"null for a merged alias":    {"- &a {name: a, server: &x ~}\n- {name: b, server: *x}\n", "a /, b /"},
		"texts that look like null":  {"- {name: !!str ~, server: !!str null, project: '~', deployment: \"null\"}\n", "~ null ~/null"},
		"an empty text":              {"- {name: \"\"}\n", "l.yaml:1:4: name is given and empty"},
		"an empty text with a tag":   {"- {name: !!str , server: s}\n", "l.yaml:1:4: name is given and empty"},
		"null with a tag":            {"- {name: !!null ~}\n", "l.yaml:1:10: name takes a value without a tag"},
		"an unknown field is null":   {"- {nam: ~}\n", `l.yaml:1:4: unknown field "nam"`},
		"a list for a text":          {"- {name: [a]}\n", "l.yaml:1:10: name takes a single value"},
		"a foreign tag":              {"- {name: !vault a}\n", "l.yaml:1:10: name takes a value without a tag"},
		"a mapping for a name":       {"- {{a: b}: c}\n", "l.yaml:1:4: the name of a field is a text"},
		"merged into itself":         {"- &a {<<: *a}\n", "l.yaml:1:3: it is merged into itself"},
		"merged from a text":         {"- {<<: a}\n", "l.yaml:1:8: a target is a mapping"},
		"several problems":           {"- {nam: a}\n- {nom: b}\n", "2 problems:\n  - l.yaml:1:4: unknown field \"nam\"\n  - l.yaml:2:4: unknown field \"nom\""},
		"no YAML":                    {"- {name: a\n", "l.yaml:2:1: did not find expected"},
		"not UTF-8":                  {"- {name: caf\xe9}\n", "l.yaml: it is not UTF-8"},
		"an alias that is not there": {"- *a\n", "l.yaml:1:"},
		"very many": {
			"- &a {name: x}\n- &b {<<: [" + strings.Repeat("*a,", 99) + "*a]}\n- &c {<<: [" + strings.Repeat("*b,", 99) + "*b]}\n- {<<: [" + strings.Repeat("*c,", 99) + "*c]}\n",
			"the list has too many targets",
		},
		// These would not end if the work were not limited.
		"very many names": {
			"- &a {" + numbered("k%d: 1, ", 40_000) + "name: x}\n- {<<: [" + strings.Repeat("*a,", 90_000) + "*a]}\n",
			"2 problems:\n  - l.yaml:1:7: unknown field \"k0\"\n  - l.yaml:1:7: unknown field \"k0\"",
		},
		"very many merge keys": {
			"- &a {" + strings.Repeat("<<: [], ", 60_000) + "name: x}\n- {<<: [" + strings.Repeat("*a,", 90_000) + "*a]}\n",
			"the list has too many targets",
		},
		"a very long chain": {
			"- &a0 {name: x}\n" + numbered("- &a%d {<<: *a%d}\n", 25_000),
			"the list has too many targets",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list, err := (&listReader{path: "l.yaml"}).targets([]byte(tt.list))
			var texts []string
			for _, l := range list {
				text := strings.TrimLeft(fmt.Sprintf("%s %s", l.Name, l.Server), " ")
				text = strings.TrimSpace(text) + " " + l.Project + "/" + l.Deployment
				if l.Insecure != nil {
					text += map[bool]string{true: " insecure", false: " secure"}[*l.Insecure]
				}
				texts = append(texts, text)
			}
			got := strings.Join(texts, ", ")
			if err != nil {
				got = err.Error()
			}
			if got != tt.want && (err == nil || !strings.Contains(got, tt.want)) {
				t.Errorf("got %s\nwant %s", got, tt.want)
			}
		})
	}
}

// numbered repeats a text with the numbers from 0, and in the second place the one before.
func numbered(format string, n int) string {
	var b strings.Builder
	for i := range n {
		if strings.Count(format, "%d") == 1 {
			fmt.Fprintf(&b, format, i)
		} else {
			fmt.Fprintf(&b, format, i+1, i)
		}
	}
	return b.String()
}

// FuzzList: any list is read, or refused with the name of its file.
func FuzzList(f *testing.F) {
	for _, seed := range []string{"- {name: a, server: s}\n- &x {<<: *x}\n", "---\n---\n", "...\n", "- &a [*a]\n", "? - a\n: b\n", "- {<<: [{}, {name: a}], ? {} : b}\n", "%YAML 1.2\n--- !!set\n", "- ! a\n- !<x> {}\n", "\ufeff# a\n", "- {insecure: !!bool 'true'}\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, list string) {
		if got, err := (&listReader{path: "l.yaml"}).targets([]byte(list)); err != nil && !strings.Contains(err.Error(), "l.yaml:") {
			t.Errorf("%q: %v, %v", list, got, err)
		}
	})
}
