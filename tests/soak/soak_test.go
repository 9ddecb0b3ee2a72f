package soak_test

import (
	"flag"
	"sync"
	"testing"
)

// The target soak sets these flags. By default, a run is short.
var (
	runs   = flag.Int("runs", 63, "deployments in a row; a multiple of 7 takes each way to end equally often")
	atOnce = flag.Int("at-once", 10, "deployments at once")
)

const batch = 100 // deployments to one server

// TestSoak deploys in a row and then at once, without TLS and with it. Nothing else may
// run meanwhile, since the test counts what belongs to the process.
func TestSoak(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir()) // where temporary files are counted
	if *runs < 1 || *atOnce < 1 {
		t.Fatalf("%d runs and %d at once: one is the least", *runs, *atOnce)
	}
	dir := project(t)
	for name, tls := range map[string]bool{"plain": false, "TLS": true} {
		t.Run(name, func(t *testing.T) {
			s := soak{t: t, dir: dir, tls: tls}
			s.row(min(*runs, batch)) // fills caches and pools
			s.together(*atOnce)
			before := take(t)
			t.Logf("warmed up:         %v", before)
			s.row(*runs)
			after := take(t)
			t.Logf("%5d in a row:     %v", *runs, after)
			before.compare(t, after)
			s.together(*atOnce)
			after = take(t)
			t.Logf("%5d at once:      %v", *atOnce, after)
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
