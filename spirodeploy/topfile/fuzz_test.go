package topfile_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/spirodeploy/topfile"
)

// FuzzCheck reads anything as a top file and as an SLS: it ends, in sentences of
// one line, and what is generated reads back as it was.
func FuzzCheck(f *testing.F) {
	for _, seed := range []string{
		"prod: {web1: [web]}", "prod:\n  '*':\n  - match: list\n  - web\n", "a: &a {x: [y]}\nprod:\n  <<: *a\n", "on: {}", "include: [a, .b]\nx: {file.managed: [{source: 'salt://x'}]}",
		"{% if x %}\n{{ y }}: z\n{% endif %}", "\ufeffprod: |\n  x\n", "prod: &p [*p]", "- \t", "a:\n\t", "%YAML 1.2\n---\nprod: {}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		bundle := files{"spirotop.sls": text, "web.sls": text, "top/x.sls": text}
		for _, f := range []files{bundle, {"top.sls": text}, {"spirotop.sls": "prod: {'web1': [web]}", "web.sls": text}} {
			result := check(t, f, topfile.Options{Project: "shop", Deployment: "prod"})
			for _, finding := range result.Findings {
				if strings.ContainsAny(finding.Text, "\n\r\x1b") || finding.Text == "" {
					t.Errorf("%q", finding.Text)
				}
			}
		}
		file, err := topfile.Parse([]byte(text))
		if err != nil {
			return
		}
		top, err := file.Generate("shop/prod", "prod")
		if err != nil || top == nil {
			return
		}
		again, err := topfile.Parse(top)
		if err != nil {
			t.Fatalf("%v in %q, made of %q", err, top, text)
		}
		want, ok := file.Section("prod")
		got, _ := again.Section("shop/prod")
		if ok && !slices.Equal(slices.Sorted(slices.Values(got.Expected())), slices.Sorted(slices.Values(want.Expected()))) {
			t.Errorf("expected %q of %q, %q of %q", want.Expected(), text, got.Expected(), top)
		}
	})
}
