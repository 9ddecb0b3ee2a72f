package spirodeploy_test

import (
	"os"
	"strings"
	"testing"
)

// TestReadme checks that the Go code in the README is that of an example, which compiles.
func TestReadme(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(readme), "```go\ntok, err :=")
	code, _, closed := strings.Cut("tok, err :="+rest, "\n```")
	if !found || !closed {
		t.Fatal("the README has no Go example")
	}
	flat := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	if !strings.Contains(flat(string(example)), flat(code)) {
		t.Errorf("the README's example is not that of example_test.go:\n%s", code)
	}
}
