package ci

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// runTests runs "go test" and shows what it shows, and each test that was
// skipped with its reason: go test itself hides those of packages that pass.
func runTests(ctx context.Context, out io.Writer, dir string, args ...string) error {
	args = append([]string{"test", "-json"}, args...)
	fmt.Fprintf(out, "== %s: go %s\n", dir, strings.Join(args, " "))
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Stderr = dir, out
	events, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	showErr := show(out, events)
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("go test in %s: %w", dir, err)
	}
	return showErr
}

// event is what go test -json prints (go doc test2json).
type event struct {
	Action, Package, Test, Output string
}

// show turns events into text.
func show(out io.Writer, events io.Reader) error {
	said := map[string]*strings.Builder{} // by test, until its end
	lines := bufio.NewReader(events)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var e event
		if json.Unmarshal(line, &e) != nil {
			_, _ = out.Write(line) // what the go command says before it knows of JSON
			continue
		}
		tell(out, said, e)
	}
}

func tell(out io.Writer, said map[string]*strings.Builder, e event) {
	key := e.Package + " " + e.Test
	switch {
	case e.Action == "build-output", e.Action == "output" && e.Test == "":
		// "ok" and "FAIL" lines, and what does not compile; not that there is nothing to run.
		if e.Output != "PASS\n" && !strings.HasSuffix(e.Output, "[no test files]\n") {
			fmt.Fprint(out, e.Output)
		}
	case e.Action == "output":
		if said[key] == nil {
			said[key] = new(strings.Builder)
		}
		fmt.Fprint(said[key], e.Output)
	case e.Action == "fail" && said[key] != nil:
		fmt.Fprint(out, said[key])
	case e.Action == "skip" && said[key] != nil:
		fmt.Fprintf(out, "SKIP %s: %s\n", e.Test, why(said[key].String()))
	}
	if e.Action == "pass" || e.Action == "fail" || e.Action == "skip" {
		delete(said, key)
	}
}

// why returns the reason among what a skipped test said: the line of its t.Skip.
func why(said string) string {
	reason := "no reason given"
	for line := range strings.Lines(said) {
		if text := strings.TrimSpace(line); text != "" && !strings.HasPrefix(text, "---") && !strings.HasPrefix(text, "===") {
			_, reason, _ = strings.Cut(text, ": ") // after file and line
		}
	}
	return reason
}
