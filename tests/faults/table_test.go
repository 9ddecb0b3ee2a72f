package faults_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

var document = filepath.Join("..", "..", "docs", "faults.md")

// begin and end mark the table in the document.
const (
	begin = "<!-- The rest is written by the tests in tests/faults. -->\n"
	head  = "\n| what happens | status | what is said |\n|---|---|---|\n"
)

// table is the table in the document, and what the tests saw.
type table struct {
	before string
	mu     sync.Mutex
	want   map[string]outcome // by title and name
	got    map[string]outcome
}

func key(title, name string) string { return title + "\n" + name }

func readTable(t *testing.T) *table {
	t.Helper()
	content, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	before, rows, ok := strings.Cut(string(content), begin)
	if !ok {
		t.Fatalf("%s does not have the line %s", document, begin)
	}
	tab := &table{before: before, want: map[string]outcome{}, got: map[string]outcome{}}
	title := ""
	for line := range strings.Lines(rows) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "## ") {
			title = line[3:]
		}
		cells := strings.Split(strings.Trim(line, "|"), " | ")
		if len(cells) != 3 || strings.HasPrefix(cells[0], " what happens") {
			continue
		}
		var o outcome
		if _, err := fmt.Sscan(cells[1], &o.status); err != nil {
			t.Fatalf("%s: %q: %v", document, line, err)
		}
		o.message = strings.TrimSpace(cells[2])
		tab.want[key(title, strings.TrimSpace(cells[0]))] = o
	}
	return tab
}

func (tab *table) compare(t *testing.T, title, name string, got outcome) {
	t.Helper()
	tab.mu.Lock()
	defer tab.mu.Unlock()
	got.message = cell(got.message)
	tab.got[key(title, name)] = got
	want, ok := tab.want[key(title, name)]
	switch {
	case *update:
	case !ok:
		t.Errorf("%s has no row for it: status %d: %s", document, got.status, got.message)
	case got != want:
		t.Errorf("got  %d: %s\nwant %d: %s", got.status, got.message, want.status, want.message)
	}
}

// finish looks for rows without a test, or writes the table.
func (tab *table) finish(t *testing.T) {
	t.Helper()
	for row := range tab.want {
		if _, ok := tab.got[row]; !ok && !*update && !filtered() && !t.Failed() {
			t.Errorf("%s has a row that no test stands for: %q", document, row)
		}
	}
	if !*update || t.Failed() {
		return
	}
	var b strings.Builder
	b.WriteString(tab.before + begin)
	for _, g := range groups {
		fmt.Fprintf(&b, "\n## %s\n%s", g.title, head)
		for _, f := range g.faults {
			o, ok := tab.got[key(g.title, f.name)]
			if !ok {
				o = tab.want[key(g.title, f.name)] // it was not run
			}
			fmt.Fprintf(&b, "| %s | %d | %s |\n", f.name, o.status, o.message)
		}
	}
	if err := os.WriteFile(document, []byte(b.String()), 0o644); err != nil {
		t.Error(err)
	}
}

// filtered reports whether only some tests are run.
func filtered() bool {
	return slices.ContainsFunc(os.Args, func(arg string) bool { return strings.HasPrefix(arg, "-test.run") })
}

// cell writes a message for a table of Markdown.
func cell(message string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;").Replace(message)
}
