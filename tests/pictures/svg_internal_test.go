package main

import (
	"bytes"
	"encoding/xml"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hinshun/vt10x"

	"github.com/spirostack/spirodeploy/tests/docs/example"
)

var update = flag.Bool("update", false, "draw deploy.svg anew")

// TestDeploy: README.md shows what the command prints today, to the letter.
func TestDeploy(t *testing.T) {
	t.Parallel()
	shown := filepath.Join(example.Root, "docs", "pictures", "deploy.svg")
	now := filepath.Join(t.TempDir(), "deploy.svg")
	if *update {
		now = shown
	}
	page, err := deploy(t.Context(), t.TempDir(), now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(page); err != nil {
		t.Error(err)
	}
	want, err := os.ReadFile(now)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(shown); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is not what the command prints now (go tool mage pictures, or go test ./pictures -update, draws it anew): %v", shown, err)
	}
}

// TestSVG: text stays text, at its place and in its colour.
func TestSVG(t *testing.T) {
	t.Parallel()
	screen := vt10x.New(vt10x.WithSize(40, 5))
	fmt.Fprint(screen, "a <b>&amp;\"  c\r\n\r\n\x1b[31mred\x1b[0m plain \x1b[1;32mbold\x1b[0m")
	var drawn struct {
		Height int    `xml:"height,attr"`
		Title  string `xml:"title"`
		Text   []struct {
			X      int    `xml:"x,attr"`
			Y      int    `xml:"y,attr"`
			Length int    `xml:"textLength,attr"`
			Fill   string `xml:"fill,attr"`
			Weight string `xml:"font-weight,attr"`
			Text   string `xml:",chardata"`
		} `xml:"g>text"`
	}
	if err := xml.Unmarshal(svg(screen, "<title>"), &drawn); err != nil {
		t.Fatal(err)
	}
	if drawn.Title != "<title>" || drawn.Height != 3*cellHeight+2*margin {
		t.Errorf("title %q, height %d", drawn.Title, drawn.Height)
	}
	var got strings.Builder
	for _, e := range drawn.Text {
		fmt.Fprintf(&got, "%d,%d+%d %q %s %s\n", (e.X-margin)/cellWidth, (e.Y-margin)/cellHeight, e.Length/cellWidth, e.Text, e.Fill, e.Weight)
	}
	want := `0,0+11 "a <b>&amp;\"" ` + ` ` + `
13,0+1 "c" ` + ` ` + `
0,2+3 "red" #ff8a80 ` + `
4,2+5 "plain" ` + ` ` + `
10,2+4 "bold" #5fd67a bold
`
	if got.String() != want {
		t.Errorf("it is\n%s, want\n%s", &got, want)
	}
}
