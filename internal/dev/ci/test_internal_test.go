package ci

import (
	"strings"
	"testing"
)

func TestShow(t *testing.T) {
	t.Parallel()
	const events = `{"Action":"start","Package":"p"}
{"Action":"output","Package":"p","Test":"TestGood","Output":"chatter\n"}
{"Action":"pass","Package":"p","Test":"TestGood"}
{"Action":"output","Package":"p","Test":"TestBad","Output":"    x_test.go:3: wrong\n"}
{"Action":"output","Package":"p","Test":"TestBad","Output":"--- FAIL: TestBad (0.00s)\n"}
{"Action":"fail","Package":"p","Test":"TestBad"}
{"Action":"output","Package":"p","Test":"TestLater","Output":"=== RUN   TestLater\n"}
{"Action":"output","Package":"p","Test":"TestLater","Output":"    x_test.go:9: there is no engine: none\n"}
{"Action":"output","Package":"p","Test":"TestLater","Output":"--- SKIP: TestLater (0.00s)\n"}
{"Action":"skip","Package":"p","Test":"TestLater"}
{"Action":"output","Package":"p","Output":"FAIL\tp\t0.1s\n"}
{"Action":"output","Package":"q","Output":"?   \tq\t[no test files]\n"}
{"ImportPath":"r","Action":"build-output","Output":"r.go:1: no\n"}
go: something else
`
	const want = `    x_test.go:3: wrong
--- FAIL: TestBad (0.00s)
SKIP TestLater: there is no engine: none
FAIL	p	0.1s
r.go:1: no
go: something else
`
	var out strings.Builder
	if err := show(&out, strings.NewReader(events)); err != nil || out.String() != want {
		t.Errorf("%v\n got %q\nwant %q", err, &out, want)
	}
}
