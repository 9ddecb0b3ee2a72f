package ci

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestRepeats reads recorded events of go test -json: packages pass, fail, do not
// compile, end in the middle, and have no tests.
func TestRepeats(t *testing.T) {
	t.Parallel()
	events, err := os.ReadFile(filepath.Join("testdata", "results.json"))
	if err != nil {
		t.Fatal(err)
	}
	const want = `go -C tests test -count=1 ./bad -run '^TestTable$/^it'\''s_\[odd\]_a$/^b$'
go -C tests test -count=1 ./bad -run '^TestTable$/^other$'
go -C tests test -count=1 ./bad -run '^TestItself$'
go -C tests test -count=1 ./broken
go -C tests test -count=1 ./dies -run '^TestExits$/^deep$'`
	ran, commands := repeats(events, "tests", []string{"-count=1"})
	if got := strings.Join(commands, "\n"); got != want || ran != 15 {
		t.Errorf("%d tests have run, and the commands are\n%s\nwant\n%s", ran, got, want)
	}
}

// TestRepeatsPlaces: the commands name the module and the package.
func TestRepeatsPlaces(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		dir, pkg, test string
		want           string
	}{
		{".", "", "TestX", "go test -race . -run '^TestX$'"},
		{".", "/spirodeploy/bundle", "TestX/a b|c", `go test -race ./spirodeploy/bundle -run '^TestX$/^a b\|c$'`},
		{"tests", "/tests/faults", "", "go -C tests test -race ./faults"},
		{"tests", "/tests", "", "go -C tests test -race ."},
	} {
		event := fmt.Sprintf(`{"Action": "run", "Package": %[1]q, "Test": %[2]q} {"Action": "fail", "Package": %[1]q}`, project+tt.pkg, tt.test)
		if _, got := repeats([]byte(event), tt.dir, []string{"-race"}); !slices.Equal(got, []string{tt.want}) {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

// TestTest runs the tests of a small module, and of one without tests. (It changes the
// directory, so it does not run beside others.)
func TestTest(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds gotestsum")
	}
	dir, empty := t.TempDir(), t.TempDir()
	const mod = "module example.org/tested\n\ngo 1.26\n"
	for name, content := range map[string]string{
		filepath.Join(dir, "go.mod"): mod, filepath.Join(empty, "go.mod"): mod, filepath.Join(empty, "a.go"): "package tested\n",
		filepath.Join(dir, "a_test.go"): `package tested

import "testing"

func TestBad(t *testing.T) { t.Error("this is wrong") }

func TestLater(t *testing.T) { t.Skip("there is no engine") }
`,
	} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(filepath.Join("..", "..", ".."))
	var out strings.Builder
	c := checks{out: &out}
	c.test(t.Context(), dir, nil, "./...")
	c.test(t.Context(), empty, nil, "./...")
	err := c.conclude()
	if err == nil || err.Error() != "2 tests or checks failed" {
		t.Errorf("the error is %v", err)
	}
	for _, want := range []string{
		"SKIP: . TestLater (0.00s)\n    a_test.go:7: there is no engine\n", "FAIL: . TestBad (0.00s)\n    a_test.go:5: this is wrong\n",
		"DONE 2 tests, 1 skipped, 1 failure in ", " -run '^TestBad$'\n  go -C " + empty + " test",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not say %q but\n%s", want, &out)
		}
	}
}

// TestLong: all packages that are left out exist, and some packages are not left out.
func TestLong(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..", "..")
	for pkg := range long {
		if files, err := filepath.Glob(filepath.Join(root, pkg, "*_test.go")); err != nil || len(files) == 0 {
			t.Errorf("%s has no tests", pkg)
		}
	}
	packages, err := quick(t.Context(), filepath.Join(root, "tests"))
	if err != nil {
		t.Fatal(err)
	}
	said := strings.Join(packages, "\n") + "\n"
	if !strings.Contains(said, "/tests/faults\n") || strings.Contains(said, "/tests/soak\n") {
		t.Errorf("the quick packages are\n%s", said)
	}
}
