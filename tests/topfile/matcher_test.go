package topfile_test

import (
	"bufio"
	"bytes"
	_ "embed"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/spirodeploy/topfile"
)

//go:embed matcher.py
var matcher string

// targets returns expressions of every kind, and n random ones from their words.
//
//nolint:dupword // expressions
func targets(n int) []string {
	all := []string{
		"a", "a b", "a or b", "a and b", "not a", "a not b", "not not a", "a or", "or a", "and", "( a )", "(a)", "( a or b ) and not b", "a ( b )", "( )", "( ) or a", "( and a )",
		"L@a,b", "L@a", "L@,a", "L@a,", "L@a,b or c", "G@os:x", "G@os:x or a", "G@os:x and a", "not G@os:x", "X@a", "a*", "[ab]", "[!a]", "a[", "*", "?", "", " a ", "a,b", "a, b", ",a", "a,,b",
		"L@", "G@", "G|@os|x", "not", "a and not ( b or c )", "a or b and c", "not a or b", "a and ( not b )", "( a", "a )", "a and or b",
	}
	words := strings.Fields("a b ab a* * ? [ab] [!b] L@a,b L@ab G@os:x G@os:y X@a and and or or or not ( ) ( )")
	random := rand.New(rand.NewPCG(7, 7))
	for range n {
		var picked []string
		for range 1 + random.IntN(7) {
			picked = append(picked, words[random.IntN(len(words))])
		}
		all = append(all, strings.Join(picked, " "))
	}
	return all
}

// TestMatchers compares targets with Salt's own matchers: which targets need grains,
// which match by id alone, and whom a section expects.
func TestMatchers(t *testing.T) {
	t.Parallel()
	type question struct {
		Match      string `json:"match"`
		Expression string `json:"expression"`
		ID         string `json:"id"`
	}
	var questions []question
	for _, expression := range targets(1500) {
		for _, match := range []string{"compound", "glob", "list"} {
			for _, id := range []string{"a", "b", "ab"} {
				questions = append(questions, question{match, expression, id})
			}
		}
	}
	var input bytes.Buffer
	enc := json.NewEncoder(&input)
	for _, q := range questions {
		if err := enc.Encode(q); err != nil {
			t.Fatal(err)
		}
	}
	lines := bufio.NewScanner(bytes.NewReader(python(t, matcher, input.Bytes())))
	n, matched := 0, 0
	for ; lines.Scan(); n++ {
		var want [2]bool
		if err := json.Unmarshal(lines.Bytes(), &want); err != nil {
			t.Fatal(err)
		}
		q := questions[n]
		key, err := json.Marshal(q.Expression)
		if err != nil {
			t.Fatal(err)
		}
		file, err := topfile.Parse([]byte("prod:\n  " + string(key) + ":\n  - match: " + q.Match + "\n"))
		if err != nil {
			t.Fatal(err)
		}
		section, _ := file.Section("prod")
		target := section.Targets[0]
		for i, os := range []string{"x", "y"} {
			known := func(word string) bool {
				return word == "G@os:"+os || word == "G|@os|"+os
			}
			if got := target.Matches(q.ID, known); got != map[bool]topfile.Answer{true: topfile.Yes}[want[i]] {
				t.Errorf("%+v with os %s: %v, Salt says %v", q, os, got, want[i])
			}
		}
		both, none := want[0] && want[1], !want[0] && !want[1]
		if got := target.Matches(q.ID, nil); got == topfile.Yes && !both || got == topfile.No && !none {
			t.Errorf("%+v without grains: %v, Salt says %v", q, got, want)
		}
		expected := slices.Contains(target.Expected(), q.ID)
		if expected && !both {
			t.Errorf("%+v is expected, and Salt says %v", q, want)
		}
		if both {
			matched++
		}
	}
	if err := lines.Err(); err != nil || n != len(questions) {
		t.Fatalf("%d answers for %d questions: %v", n, len(questions), err)
	}
	t.Logf("%d questions, %d matched", n, matched)
}
