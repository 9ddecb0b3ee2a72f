package publish_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// elsewhere are packages that need no other platform.
var elsewhere = map[string][]string{
	// This package runs in the Dagger module's container, and is tested in one.
	"windows": {path + "/internal/module/step"},
}

// TestPlatforms vets all packages and their tests for the platforms of releases on which
// no test runs. Code that misses something there does not compile here.
func TestPlatforms(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it compiles everything for four platforms")
	}
	top, err := root()
	if err != nil {
		t.Fatal(err)
	}
	for _, platform := range []string{"darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64"} {
		goos, goarch, _ := strings.Cut(platform, "/")
		env := append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0")
		list := exec.CommandContext(t.Context(), "go", "list", "./...")
		list.Dir, list.Env = top, env
		out, err := list.Output()
		if err != nil {
			t.Fatalf("go list for %s: %v", platform, err)
		}
		packages := slices.DeleteFunc(strings.Fields(string(out)), func(pkg string) bool { return slices.Contains(elsewhere[goos], pkg) })
		vet := exec.CommandContext(t.Context(), "go", append([]string{"vet"}, packages...)...)
		vet.Dir, vet.Env = top, env
		if out, err := vet.CombinedOutput(); err != nil {
			t.Errorf("go vet for %s: %v\n%s", platform, err, out)
		}
	}
}
