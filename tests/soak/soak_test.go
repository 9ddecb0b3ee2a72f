package soak_test

import (
	"os"
	"strconv"
	"sync"
	"testing"

	"github.com/spirostack/spirodeploy/internal/dev/ci"
)

// The numbers of a short run; those of a long one are in the environment.
const (
	shortRuns     = 63 // a multiple of the ways to end
	shortParallel = 10
	batch         = 100 // deployments to one server
)

// number returns that of a variable, or the default.
func number(t *testing.T, name string, short int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return short
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s=%q is no number", name, text)
	}
	return n
}

// TestSoak deploys in a row and then at once, first without TLS and then with
// it. Nothing else runs meanwhile: what is counted belongs to the process.
func TestSoak(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir()) // where temporary files are counted
	runs, parallel := number(t, ci.SoakRuns, shortRuns), number(t, ci.SoakParallel, shortParallel)
	dir := project(t)
	for name, tls := range map[string]bool{"plain": false, "TLS": true} {
		t.Run(name, func(t *testing.T) {
			s := soak{t: t, dir: dir, tls: tls}
			s.row(min(runs, batch)) // makes what is made once
			s.together(parallel)
			before := take(t)
			t.Logf("warmed up:         %v", before)
			s.row(runs)
			after := take(t)
			t.Logf("%5d in a row:     %v", runs, after)
			before.compare(t, after)
			s.together(parallel)
			after = take(t)
			t.Logf("%5d at once:      %v", parallel, after)
			before.compare(t, after)
		})
	}
}

// soak deploys.
type soak struct {
	t   *testing.T
	dir string
	tls bool
}

// row deploys n times in a row.
func (s *soak) row(n int) {
	s.t.Helper()
	for done := 0; done < n; done += batch {
		s.with(func(sc *scene) {
			for i := done; i < min(n, done+batch); i++ {
				if err := sc.deploy(s.t.Context(), ends[i%len(ends)]); err != nil {
					s.t.Fatal(err)
				}
			}
		})
	}
}

// together deploys n times at once.
func (s *soak) together(n int) {
	s.t.Helper()
	s.with(func(sc *scene) {
		var all sync.WaitGroup
		for i := range n {
			all.Go(func() {
				if err := sc.deploy(s.t.Context(), ends[i%len(ends)]); err != nil {
					s.t.Error(err)
				}
			})
		}
		all.Wait()
	})
	if s.t.Failed() {
		s.t.FailNow()
	}
}

// with starts servers for a batch.
func (s *soak) with(do func(*scene)) {
	s.t.Helper()
	sc, err := newScene(s.dir, s.tls)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() {
		if err := sc.close(); err != nil {
			s.t.Error(err)
		}
	}()
	do(sc)
}
