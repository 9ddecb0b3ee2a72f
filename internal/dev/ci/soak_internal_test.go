package ci

import (
	"slices"
	"testing"
)

func TestSoakCommand(t *testing.T) {
	t.Parallel()
	cmd, err := soakCommand(t.Context(), 1000, 50)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{SoakRuns + "=1000", SoakParallel + "=50"} {
		if !slices.Contains(cmd.Env, want) {
			t.Errorf("%s is not in the environment", want)
		}
	}
	if cmd.Dir != "tests" || !slices.Contains(cmd.Args, "./soak") {
		t.Errorf("it runs %v in %s", cmd.Args, cmd.Dir)
	}
	for _, numbers := range [][2]int{{0, 1}, {1, 0}, {-1, 5}} {
		if _, err := soakCommand(t.Context(), numbers[0], numbers[1]); err == nil {
			t.Errorf("%v is taken", numbers)
		}
	}
}
