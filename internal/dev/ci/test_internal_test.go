package ci

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// recorded is what go test -json said of packages in tests: they pass, fail, do not
// compile, end in the middle, and have no tests.
func recorded(t *testing.T) []byte {
	t.Helper()
	stream, err := os.ReadFile(filepath.Join("testdata", "results.json"))
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

func TestResults(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	s := newScreen(&out)
	r := newResults(s)
	r.follow(s, "tests", bytes.NewReader(append(recorded(t), "go: something else\n"...)))
	const said = `a master starts
    bad_test.go:18: this is wrong
--- FAIL: TestTable/it's_[odd]_a/b (0.00s)
    bad_test.go:18: this is wrong
--- FAIL: TestTable/other (0.00s)
--- FAIL: TestTable (0.00s)
    bad_test.go:26: wrong here
--- FAIL: TestItself (0.00s)
FAIL    0.3s  tests/bad: 2 passed, 3 failed
# github.com/spirostack/spirodeploy/tests/broken [github.com/spirostack/spirodeploy/tests/broken.test]
broken/broken_test.go:5:26: undefined: undefined
FAIL    0.0s  tests/broken: 0 passed
FAIL    0.0s  tests/dies: 1 passed, 1 failed
ok      0.0s  tests/good: 2 passed, 3 skipped
go: something else
`
	if out.String() != said {
		t.Errorf("got\n%s\nwant\n%s", &out, said)
	}
	out.Reset()
	err := r.conclude()
	if err == nil || err.Error() != "5 tests or checks failed" {
		t.Errorf("error %v", err)
	}
	_, sum, _ := strings.Cut(out.String(), "\n\n") // after how long it took
	const want = `Skipped:
    2  there is no engine: none (TestLater, TestLater2)
    1  it takes long (TestNoC)

Failed, each with the command that repeats it:
  tests/bad TestTable/it's_[odd]_a/b
      go -C tests test -count=1 ./bad -run '^TestTable$/^it'\''s_\[odd\]_a$/^b$'
  tests/bad TestTable/other
      go -C tests test -count=1 ./bad -run '^TestTable$/^other$'
  tests/bad TestItself
      go -C tests test -count=1 ./bad -run '^TestItself$'
  tests/broken
      go -C tests test -count=1 ./broken
  tests/dies TestExits/deep (it did not end)
      go -C tests test -count=1 ./dies -run '^TestExits$/^deep$'
`
	if sum != want {
		t.Errorf("got\n%s\nwant\n%s", sum, want)
	}
	if !strings.HasPrefix(out.String(), "\n5 passed, 5 failed, 3 skipped in ") {
		t.Errorf("the sum is %s", &out)
	}
}

// TestNow: what runs is told at any time, up to the innermost test.
func TestNow(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r := newResults(&bytes.Buffer{})
	add := func(second int, action, pkg, test string) {
		r.add(".", event{Time: began.Add(time.Duration(second) * time.Second), Action: action, Package: project + "/" + pkg, Test: test})
	}
	for _, step := range []struct {
		do   func()
		want string
	}{
		{func() {}, "compiling"},
		{func() { add(0, "start", "a", "") }, "running: a 1m40s"},
		{func() { add(10, "run", "a", "TestX") }, "running: a TestX 1m30s"},
		{func() { add(20, "run", "a", "TestX/sub") }, "running: a TestX/sub 1m20s"},
		{func() { add(20, "pause", "a", "TestX/sub"); add(21, "run", "a", "TestX/next") }, "running: a TestX/next 1m19s"},
		{func() { add(30, "cont", "a", "TestX/sub"); add(30, "start", "b", "") }, "running: a TestX/next 1m19s, a TestX/sub 1m10s, b 1m10s"},
		{func() { add(40, "run", "b", "TestY"); add(40, "run", "b", "TestZ") }, "running: a TestX/next 1m19s, a TestX/sub 1m10s, b TestY 1m0s, 1 more"},
		{func() { add(50, "pass", "b", ""); add(50, "pass", "a", "TestX/next") }, "running: a TestX/sub 1m10s"},
	} {
		step.do()
		if got := r.now(began.Add(100 * time.Second)); got != step.want {
			t.Errorf("got %q, want %q", got, step.want)
		}
	}
}

func TestRepeat(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		dir, pkg, test string
		race           bool
		want           string
	}{
		{".", "", "TestX", false, "go test -count=1 . -run '^TestX$'"},
		{".", "/spirodeploy/bundle", "TestX/a b|c", true, `go test -count=1 -race ./spirodeploy/bundle -run '^TestX$/^a b\|c$'`},
		{"tests", "/tests/faults", "", false, "go -C tests test -count=1 ./faults"},
		{"tests", "/tests", "", false, "go -C tests test -count=1 ."},
	} {
		r := results{race: tt.race}
		if got := r.repeat(tt.dir, project+tt.pkg, tt.test); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

// TestConclude: nothing that failed is no error.
func TestConclude(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	r := newResults(&out)
	r.add(".", event{Action: "pass", Package: project, Test: "TestX"})
	r.add(".", event{Action: "output", Package: project, Output: "ok  \t" + project + "\t(cached)\n"})
	r.add(".", event{Action: "pass", Package: project})
	if err := r.conclude(); err != nil {
		t.Error(err)
	}
	if !strings.HasPrefix(out.String(), "ok    cached  .: 1 passed\n\n1 passed, 0 failed, 0 skipped in ") || strings.Contains(out.String(), "repeats") {
		t.Errorf("it says %s", &out)
	}
}

// TestScreen: a terminal has what goes on in its last line, elsewhere it is told
// when nothing else has been for long.
func TestScreen(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	s := &screen{out: &out, width: 10}
	s.status("running: everything")
	s.status("running")
	fmt.Fprintln(s, "ok")
	fmt.Fprintln(s, "ok")
	if want := "running: \r\x1b[Krunning\r\x1b[Kok\nok\n"; out.String() != want {
		t.Errorf("a terminal gets %q, want %q", &out, want)
	}
	out.Reset()
	s = &screen{out: &out, spoken: time.Now().Add(time.Hour)}
	s.status("early")
	s.spoken = time.Now().Add(-silence)
	s.status("late")
	if out.String() != "late\n" {
		t.Errorf("a log gets %q", &out)
	}
}

// TestLong: the packages that are left out are there, and not all are.
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
