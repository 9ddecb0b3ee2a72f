package topfile_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/spirodeploy/topfile"
)

// TestLarge reads large files, each of a shape that invites
// work that grows faster than the file. What is quadratic does not end in the
// time that a test has.
func TestLarge(t *testing.T) {
	t.Parallel()
	const size = topfile.MaxSize / 5
	fill := func(piece string) string { return strings.Repeat(piece, size/len(piece)) }
	numbered := func(format string) string {
		var b strings.Builder
		for i := 0; b.Len() < size; i++ {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	for name, source := range map[string]string{
		"one line":         "prod: {web1: [" + fill("é, ") + "x]}\n",
		"keys in one line": "prod: {" + numbered("web%d: [a], ") + "x: []}\n",
		"one mapping":      "prod:\n" + numbered("  web%d: [web]\n"),
		"one list":         "prod:\n  web1:\n" + fill("  - gone\n"),
		"deployments":      numbered("prod%d: {}\n"),
		"open brackets":    "prod: " + fill("["),
		"open mappings":    "prod: " + fill("{a: "),
		"dashes":           fill("- "),
		"question marks":   fill("? "),
		"colons":           "prod: " + fill(": "),
		"quotes":           "prod: '" + fill("''") + "'\n",
		"one word":         "prod: " + fill("x") + "\n",
		"words":            "prod: " + fill("x ") + "\n",
		"expression":       "prod:\n  ? '" + fill("a or ") + "a'\n  : [web]\n",
		"list of ids":      "prod:\n  ? '" + numbered("web%d,") + "'\n  : [{match: list}]\n",
		"compound list":    "prod:\n  ? '" + numbered("L@web%d,a or ") + "a'\n  : [web]\n",
		"comments":         fill("# x\n"),
		"comment":          "prod: a #" + fill("x"),
		"tabs":             "prod: a\n" + fill(" \t") + "\n",
		"empty lines":      "prod: a" + fill("\n \n"),
		"anchors":          "prod:\n" + numbered("- &a%d a\n"),
		"aliases":          "a: &a b\nprod:\n  web1:\n" + fill("  - *a\n"),
		"merges":           "a: &a {b: c}\nprod: {<<: [" + fill("*a, ") + "*a]}\n",
		"merges of keys":   "a: &a {" + numbered("k%d: b, ") + "x: b}\nprod: {<<: [" + fill("*a, ") + "*a]}\n",
		"merge keys":       "a: &a {b: c}\nprod:\n" + fill("  <<: *a\n"),
		"digits":           "prod: " + fill("9") + "\n",
		"base 60":          "prod: 1" + fill(":10") + "\n",
		"Jinja":            "prod:\n" + fill("- {{ x }}\n"),
		"open Jinja":       fill("{{ "),
		"raw":              fill("{% raw %}"),
		"braces":           fill("{"),
		"directives":       fill("%YAML 1.2\n"),
		"byte order marks": fill("\ufeff"),
		"documents":        fill("---\n"),
		"includes":         "include:\n" + numbered("- gone%d\n"),
		"includes of dots": "include:\n" + fill("- .....\n"),
		"sources":          numbered("x%d: {file.managed: [{source: 'salt://gone'}]}\n"),
		"dots":             "prod: {web1: ['" + fill(".") + "']}\n",
		"stars":            "prod: {web1: ['" + strings.Repeat("*a", 5000) + "']}\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if len(source) > topfile.MaxSize {
				t.Fatal("too large")
			}
			opts := topfile.Options{Project: "shop", Deployment: "prod"}
			check(t, files{"spirotop.sls": source, "web.sls": ""}, opts)
			check(t, files{"spirotop.sls": "prod: {web1: [web]}", "web.sls": source}, opts)
		})
	}
}

// flat is files without directories, of which there may be very many.
type flat struct{ files }

func (f flat) Has(name string) (dir, ok bool) {
	_, ok = f.files[name]
	return false, ok
}

// TestManyMissing is a bundle with very many files, and with many names of files that are not
// there. What was meant is only looked for as long as that takes no time.
func TestManyMissing(t *testing.T) {
	t.Parallel()
	var top, sources strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&top, "  - %s%d\n", strings.Repeat("ba", 40), i)
		fmt.Fprintf(&sources, "x%d: {file.managed: [{source: 'salt://gone%[1]d'}]}\n", i)
	}
	bundle := files{"spirotop.sls": "prod:\n  web1:\n  - web\n" + top.String(), "web.sls": sources.String()}
	for i := range 100_000 {
		bundle[fmt.Sprintf("%s%d.sls", strings.Repeat("ab", 40), i)] = ""
	}
	r, err := topfile.Check(t.Context(), flat{bundle}, topfile.Options{Project: "shop", Deployment: "prod"})
	if err != nil || len(r.Findings) != 100 {
		t.Errorf("%d findings, %v", len(r.Findings), err)
	}
}
