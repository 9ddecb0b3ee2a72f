package errlist_test

import (
	"errors"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/internal/errlist"
)

func TestJoin(t *testing.T) {
	t.Parallel()
	a, b, c := errors.New("a"), errors.New("b\nmore of b"), fs.ErrNotExist
	if err := errlist.Join(nil, nil); err != nil {
		t.Errorf("Join of nothing = %v", err)
	}
	if err := errlist.Join(nil, a); err != a { //nolint:errorlint // the very same
		t.Errorf("Join of one = %v", err)
	}
	err := errlist.Join(errlist.Join(a, b), nil, c)
	if want := "3 problems:\n  - a\n  - b\n    more of b\n  - file does not exist"; err.Error() != want {
		t.Errorf("Join of three = %q, want %q", err, want)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		t.Error("errors.Is does not find the third")
	}
}

// TestMany checks that only the first hundred problems are listed.
func TestMany(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{100: "\n  - x", 101: "\n  - x\n  and 1 more", 5000: "\n  - x\n  and 4900 more"} {
		err := errlist.Join(slices.Repeat([]error{errors.New("x")}, n)...)
		if lines := strings.Count(err.Error(), "\n  - "); lines != 100 || !strings.HasSuffix(err.Error(), want) || !strings.HasPrefix(err.Error(), strconv.Itoa(n)+" problems:") {
			t.Errorf("%d problems: %d lines, %q", n, lines, err.Error()[max(0, len(err.Error())-50):])
		}
	}
}
