package bundle_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
)

// made returns the bundle of a directory with some files.
func made(t *testing.T, files map[string]string) []byte {
	t.Helper()
	content := map[string][]byte{}
	for name, text := range files {
		content[name] = []byte(text)
	}
	b, err := bundle.New(t.Context(), bundle.Options{Dir: t.TempDir(), Files: content})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	var out bytes.Buffer
	if _, err := b.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestPatches: small texts that changed have a diff, nothing else has.
func TestPatches(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("a line\n", 10_000)
	before := made(t, map[string]string{
		"web.sls": "hello:\n  test.nop: []\n", "same": "x", "gone": "x", "binary": "a\x00b", "latin1": "\xe4", "large": large,
	})
	after := made(t, map[string]string{
		"web.sls": "hello:\n  test.succeed_without_changes: []\n", "same": "x", "new": "x", "binary": "a\x00c", "latin1": "\xf6", "large": large + "more",
	})
	changes, err := bundle.Diff(bytes.NewReader(before), bytes.NewReader(after))
	if err != nil {
		t.Fatal(err)
	}
	if len(changes) != 6 {
		t.Errorf("changes: %v", changes)
	}
	got, err := bundle.Patches(changes, bytes.NewReader(before), bytes.NewReader(after))
	if err != nil {
		t.Fatal(err)
	}
	const want = "--- old/web.sls\n+++ new/web.sls\n@@ -1,2 +1,2 @@\n hello:\n-  test.nop: []\n+  test.succeed_without_changes: []\n"
	if len(got) != 1 || got["web.sls"] != want {
		t.Errorf("patches %q", got)
	}
	if got, err := bundle.Patches(nil, nil, nil); got != nil || err != nil {
		t.Errorf("of nothing: %v, %v", got, err)
	}
	if _, err := bundle.Patches(changes, bytes.NewReader(before), strings.NewReader("no tar")); err == nil {
		t.Error("patches of what is no tar")
	}
}
