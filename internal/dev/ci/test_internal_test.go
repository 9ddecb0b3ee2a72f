package ci

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestRead reads recorded events of go test -json: packages pass, fail, do not
// compile, end in the middle, and have no tests.
func TestRead(t *testing.T) {
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
	r := read(events, "tests", []string{"-count=1"})
	if got := strings.Join(r.failed, "\n"); got != want || r.ran != 15 {
		t.Errorf("%d tests have run, and the commands are\n%s\nwant\n%s", r.ran, got, want)
	}
}

// TestReadPlaces: the commands name the module and the package.
func TestReadPlaces(t *testing.T) {
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
		if got := read([]byte(event), tt.dir, []string{"-race"}).failed; !slices.Equal(got, []string{tt.want}) {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

// TestTest runs the tests of small modules. (It changes the directory, so it does not
// run beside others.)
func TestTest(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds gotestsum")
	}
	good, bad, none := module(t, map[string]string{
		"a_test.go":         "package tested\n\nimport \"testing\"\n\nfunc TestGood(*testing.T) {}\n",
		"idle/idle_test.go": "package idle\n\nimport \"testing\"\n\nfunc TestMain(*testing.M) {}\n\nfunc TestNot(*testing.T) {}\n",
	}), module(t, map[string]string{"a_test.go": `package tested

import "testing"

func TestBad(t *testing.T) { t.Error("this is wrong") }

func TestLater(t *testing.T) { t.Skip("there is no engine") }
`}), module(t, map[string]string{"a.go": "package tested\n"})
	t.Chdir(filepath.Join("..", "..", ".."))
	for _, tt := range []struct {
		name, dir, report string
		says              []string
		fails             bool
	}{
		{name: "all is well", dir: good, says: []string{"DONE 1 tests in ", "No test has run in example.org/tested/idle\n"}},
		{name: "gotestsum fails", dir: good, report: filepath.Join("go.mod", "report.xml"), fails: true, says: []string{
			"After 1 tests in " + good + ": gotestsum failed: exit status 3\n", " gotestsum -- -timeout=60m ./...\n",
		}},
		{name: "a test fails", dir: bad, fails: true, says: []string{
			"SKIP: . TestLater (0.00s)\n    a_test.go:7: there is no engine\n", "FAIL: . TestBad (0.00s)\n    a_test.go:5: this is wrong\n",
			"DONE 2 tests, 1 skipped, 1 failure in ", " -run '^TestBad$'\n",
		}},
		{name: "no tests", dir: none, fails: true, says: []string{"No test has run in " + none + "\n", "\n  go -C " + none + " test -timeout=60m ./...\n"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("GOTESTSUM_JUNITFILE", tt.report)
			testIn(t, tt.dir, tt.fails, tt.says)
		})
	}
}

// TestNoGotestsum: if gotestsum cannot be built, that is what the run says.
func TestNoGotestsum(t *testing.T) {
	dir := module(t, map[string]string{"a.go": "package tested\n"})
	t.Chdir(dir) // which has no module with gotestsum
	testIn(t, dir, true, []string{"After 0 tests in " + dir + ": gotestsum did not run: exit status 1\n", " gotestsum -- -timeout=60m ./...\n"})
}

// module makes a module with these files, and returns its directory.
func module(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	files["go.mod"] = "module example.org/tested\n\ngo 1.26\n"
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// testIn runs the tests of a module, and checks what comes of them.
func testIn(t *testing.T, dir string, fails bool, says []string) {
	t.Helper()
	var out strings.Builder
	c := checks{out: &out}
	c.test(t.Context(), dir, nil, "./...")
	err := c.conclude()
	if failed := err != nil; failed != fails || failed && err.Error() != "1 test or check failed" {
		t.Errorf("the error is %v", err)
	}
	for _, want := range says {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not say %q but\n%s", want, &out)
		}
	}
}

// TestTell: the packages that are running are told if none has ended for a while.
func TestTell(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "events.json")
	write := func(content string) {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const begun = `{"Action": "start", "Package": "` + project + `/a"} {"Action": "start", "Package": "` + project + `/b"} `
	const one = begun + `{"Action": "pass", "Package": "` + project + `/a", "Test": "TestX"} {"Action": "pass", "Package": "` + project + `/a"} {"Act`
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		var out strings.Builder
		go tell(ctx, &out, file)
		time.Sleep(silence + time.Second)
		write(begun)
		time.Sleep(silence)
		write(one)
		time.Sleep(2 * silence)
		stop()
		synctest.Wait()
		if got, want := out.String(), "… still running: the compiler\n… still running: a, b\n… still running: b\n"; got != want {
			t.Errorf("it tells\n%swant\n%s", got, want)
		}
	})
}

// TestNoRace: without a C compiler there is a reason not to use the race detector, also
// if Go takes for granted that there is one.
func TestNoRace(t *testing.T) {
	for _, tt := range []struct{ cgo, cc, want string }{
		{"1", "go -x", ""}, // any program will do
		{"1", "no-such-compiler", "it needs a C compiler, and there is no no-such-compiler"},
		{"0", "go", "cgo is off, or there is no C compiler"},
	} {
		t.Setenv("CGO_ENABLED", tt.cgo)
		t.Setenv("CC", tt.cc)
		if got := noRace(t.Context()); got != tt.want {
			t.Errorf("CGO_ENABLED=%s CC=%s: %q, want %q", tt.cgo, tt.cc, got, tt.want)
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
