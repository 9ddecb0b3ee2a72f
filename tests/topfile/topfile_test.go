// Package topfile_test compares package topfile with the server's own code: Salt's YAML
// loader and dumper and its compound matcher, in the Python environment of
// internal/dev/salt.
package topfile_test

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/internal/dev/salt"
	"github.com/spirostack/spirodeploy/spirodeploy/topfile"
)

//go:embed oracle.py
var oracle string

// python runs a script in the environment of Salt and returns what it prints.
func python(t *testing.T, script string, input []byte) []byte {
	t.Helper()
	env, err := salt.Prepare(t.Context(), func(line string) { t.Log(line) })
	if errors.Is(err, salt.ErrNoPython) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), salt.InstallLimit)
	defer cancel()
	args := env.Python("-c", script)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdin = bytes.NewReader(input)
	cmd.Env = append(os.Environ(), "PYTHONUTF8=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.Bytes())
	}
	return out
}

// told is the package's reading of a document, in the form of the oracle.
type told struct {
	Source     []byte `json:"source"`
	Deployment string `json:"deployment"`
	Top        []byte `json:"top"`
	Error      string `json:"error,omitempty"`
}

func tell(d document) told {
	t := told{Source: []byte(d.source), Deployment: d.deployment}
	file, err := topfile.Parse(t.Source)
	if err == nil {
		t.Top, err = file.Generate("shop/x", d.deployment)
	}
	if err != nil {
		t.Error = err.Error()
	}
	return t
}

// compare asks the oracle about documents, and reports differences that known does not
// explain.
func compare(t *testing.T, documents []document, known func(told, verdict) string) {
	t.Helper()
	var input bytes.Buffer
	enc := json.NewEncoder(&input)
	all := make([]told, len(documents))
	for i, d := range documents {
		all[i] = tell(d)
		if err := enc.Encode(all[i]); err != nil {
			t.Fatal(err)
		}
	}
	lines := bufio.NewScanner(bytes.NewReader(python(t, oracle, input.Bytes())))
	lines.Buffer(nil, 16<<20)
	accepted, n := 0, 0
	excused := map[string]int{}
	for ; lines.Scan(); n++ {
		var v verdict
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		if all[n].Error == "" {
			accepted++
		}
		if v.Same {
			continue
		}
		if reason := known(all[n], v); reason != "" {
			excused[reason]++
			continue
		}
		t.Errorf("%s\n  the server: %s\n  we:         %s", v.Source, v.Theirs, v.Ours)
	}
	if err := lines.Err(); err != nil || n != len(documents) {
		t.Fatalf("%d answers for %d documents: %v", n, len(documents), err)
	}
	t.Logf("%d documents, %d of them accepted; known differences: %v", n, accepted, excused)
}

type verdict struct {
	Same                 bool
	Source, Theirs, Ours string
}

// stricter are the errors for documents that the server takes and we refuse. All of them
// are rare in a top file, and of no use there.
var stricter = []string{
	"comment without preceding whitespace", // [a]# comment
	"put the text ?",                       // [?a], which libyaml takes for the mapping {a: null}
	"the tag !!omap",                       // which Salt reads one way or another, by what it did before
	"the tag !!binary is for",              // base64 that goes on after its end
	"the tag !!str is not allowed",         // !!str {=: a}
	"cannot start any token",               // [-]
	"has characters other than",            // &a:b c
	"a byte order mark stands inside",      // at the beginning of a line, where libyaml skips it
	"mapping values are not allowed",       // a flow mapping whose lines are indented less than what it is in
}

// laxer are the server's errors for documents that we take: colons and keys in odd
// corners of flow collections, and a line separator before "...".
var laxer = []string{"found unexpected ':'", "did not find expected ',' or '}'", "did not find expected ',' or ']'", "while parsing a block node"}

// anchorWithColon matches an anchor that is shorter to libyaml than to us.
var anchorWithColon = regexp.MustCompile(`&[0-9A-Za-z_-]+:`)

// known returns the reason for a known difference, or "".
func known(t told, v verdict) string {
	marked := bytes.Contains(t.Source, []byte("\n\ufeff")) || bytes.HasPrefix(t.Source, []byte("\ufeff\ufeff"))
	if marked && t.Error != "" {
		return "a byte order mark stands inside"
	}
	if t.Error == "" {
		for _, text := range laxer {
			if strings.Contains(v.Theirs, text) {
				return text
			}
		}
	}
	if t.Error == "" || strings.HasPrefix(v.Theirs, "error") {
		return ""
	}
	if anchorWithColon.Match(t.Source) && strings.Contains(t.Error, "did not find expected key") {
		return "an anchor goes on after a colon"
	}
	for _, text := range stricter {
		if strings.Contains(t.Error, text) {
			return text
		}
	}
	return ""
}

func TestYAML(t *testing.T) {
	t.Parallel()
	all := corpus()
	if len(all) < 200 {
		t.Fatalf("%d documents", len(all))
	}
	compare(t, all, func(a told, v verdict) string {
		if a.Error == "" {
			return "" // the corpus has nothing that we take and the server refuses
		}
		return known(a, v)
	})
}

func TestMutatedYAML(t *testing.T) {
	t.Parallel()
	compare(t, mutated(20000, 1), known)
}
