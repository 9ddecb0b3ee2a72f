package examples_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestContainerfile runs the lines that call Go, and only reads the others: it builds no
// image.
func TestContainerfile(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(filepath.Join(root, "examples", "Containerfile"))
	if err != nil {
		t.Fatal(err)
	}
	stages := stagesOf(t, string(content))
	if len(stages) != 2 {
		t.Fatalf("there are %d stages", len(stages))
	}
	out := t.TempDir()
	built := filepath.Join(out, "spiro-deploy")
	for _, line := range stages[0] {
		command, ok := strings.CutPrefix(line, "RUN ")
		if !ok {
			continue
		}
		if !strings.HasPrefix(strings.TrimPrefix(command, "CGO_ENABLED=0 "), "go ") {
			t.Errorf("%s does not call go", line)
			continue
		}
		must(t, root, nil, "sh", "-euc", strings.ReplaceAll(command, "/out/", out+"/"))
	}
	if help := must(t, out, nil, built, "--help"); !strings.Contains(help, "PROJECT") {
		t.Errorf("the program says %q", help)
	}
	// A program that needs a C library would not run with the one of another image.
	if said, err := exec.CommandContext(t.Context(), "go", "version", "-m", built).Output(); err != nil || !strings.Contains(string(said), "CGO_ENABLED=0") {
		t.Errorf("the program is not static: %v\n%s", err, said)
	}

	for _, line := range []string{
		"COPY --from=build /out/spiro-deploy /usr/local/bin/spiro-deploy", "USER 65532", "WORKDIR /project", `ENTRYPOINT ["spiro-deploy"]`,
	} {
		if !slices.Contains(stages[1], line) {
			t.Errorf("the image has no line %s", line)
		}
	}
	if install := strings.Join(stages[1], "\n"); !strings.Contains(install, " ca-certificates git ") {
		t.Errorf("no certificates or git are installed by\n%s", install)
	}
}

// stagesOf returns the instructions of each stage, continued lines joined.
func stagesOf(t *testing.T, text string) (stages [][]string) {
	t.Helper()
	known := []string{"WORKDIR", "COPY", "RUN", "USER", "ENTRYPOINT"}
	for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", "")) {
		line = strings.Join(strings.Fields(line), " ")
		word, _, _ := strings.Cut(line, " ")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case word == "FROM":
			stages = append(stages, nil)
		case len(stages) == 0 || !slices.Contains(known, word):
			t.Fatalf("unexpected line %s", line)
		default:
			stages[len(stages)-1] = append(stages[len(stages)-1], line)
		}
	}
	return stages
}
