package ci

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestFuzzTargets(t *testing.T) {
	t.Parallel()
	const list = `FuzzOne
FuzzTwo
ok  	example.org/a	0.010s
?   	example.org/b	[no test files]
ok  	example.org/c	0.010s
FuzzThree
ok  	example.org/d	(cached)
`
	want := []fuzzTarget{{"example.org/a", "FuzzOne"}, {"example.org/a", "FuzzTwo"}, {"example.org/d", "FuzzThree"}}
	if got := fuzzTargets([]byte(list)); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestOnlyLate(t *testing.T) {
	t.Parallel()
	const end = "FAIL\nexit status 1\n"
	for said, want := range map[string]bool{
		"fuzz: elapsed: 3s, execs: 5 (0/sec)\n--- FAIL: FuzzX (3.20s)\n    context deadline exceeded\n" + end:                                  true,
		"--- FAIL: FuzzX (3.20s)\n    --- FAIL: FuzzX (0.00s)\n        x_test.go:3: wrong\n    Failing input written to testdata/fuzz\n" + end: false,
		end: false,
	} {
		if got := onlyLate([]byte(said)); got != want {
			t.Errorf("%v, want %v: %s", got, want, said)
		}
	}
}

// TestFuzz runs the targets of a small module: the second runs although the first fails.
func TestFuzz(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it builds a module and fuzzes it")
	}
	dir := t.TempDir()
	for name, content := range map[string]string{
		"go.mod": "module example.org/fuzzed\n\ngo 1.26\n",
		"a_test.go": `package fuzzed

import "testing"

func FuzzBad(f *testing.F) {
	f.Add("seed")
	f.Fuzz(func(t *testing.T, s string) { t.Error("this is wrong") })
}

func FuzzGood(f *testing.F) {
	f.Fuzz(func(*testing.T, string) {})
}
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out strings.Builder
	err := Fuzz(t.Context(), &out, dir, time.Second)
	if err == nil || !strings.Contains(err.Error(), "1 of 2 targets failed") || !strings.Contains(err.Error(), "FuzzBad") {
		t.Errorf("the error is %v", err)
	}
	for _, want := range []string{"2 targets, 1s each: about 2s\n", "example.org/fuzzed FuzzBad: FAILED\n", "this is wrong", "example.org/fuzzed FuzzGood: ok, "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not say %q but\n%s", want, &out)
		}
	}
	if err := Fuzz(t.Context(), &out, dir, 0); err == nil {
		t.Error("no time is enough")
	}
}
