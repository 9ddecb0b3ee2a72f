package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/spirostack/spirodeploy/internal/plain"
)

// WriteJSON writes the report as indented JSON; docs/report.md describes its
// members. The errors are those of w.
func (r *Report) WriteJSON(w io.Writer) error {
	// Minions may be many and large: all is encoded without them, and each is
	// then written in its place.
	frame := *r
	frame.Targets = slices.Clone(r.Targets)
	for i, t := range r.Targets {
		without := *t
		without.Minions = []*Minion{}
		frame.Targets[i] = &without
	}
	rest, err := encode(frame)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w) // which remembers the first error
	for _, t := range r.Targets {
		// A line end is none of a text's in JSON: it cannot be anything else.
		before, after, _ := bytes.Cut(rest, []byte(noMinions))
		rest = after
		write(out, before)
		fmt.Fprint(out, noMinions[:len(noMinions)-1])
		if err := writeMinions(out, t.Minions); err != nil {
			return err
		}
		fmt.Fprint(out, "]")
	}
	write(out, rest)
	fmt.Fprintln(out)
	return out.Flush()
}

const (
	memberPad = "      "   // in front of a target's members
	minionPad = "        " // in front of its minions
	noMinions = "\n" + memberPad + `"minions": []`
)

// maxIndented is the size in bytes of the largest minion that is indented, which
// can make a deeply nested one many times larger.
const maxIndented = 1 << 20

func writeMinions(out *bufio.Writer, minions []*Minion) error {
	for i, m := range minions {
		comma := ","
		if i == 0 {
			comma = ""
		}
		fmt.Fprintf(out, "%s\n%s", comma, minionPad)
		enc := json.NewEncoder(minionWriter{out})
		enc.SetEscapeHTML(false)
		if err := enc.Encode(m); err != nil {
			return err
		}
	}
	if len(minions) > 0 {
		fmt.Fprint(out, "\n"+memberPad)
	}
	return nil
}

// minionWriter writes the JSON of a minion, which an encoder hands over whole:
// so there is no copy of it.
type minionWriter struct{ out *bufio.Writer }

func (w minionWriter) Write(p []byte) (int, error) {
	b := bytes.TrimSuffix(p, []byte("\n"))
	if len(b) <= maxIndented {
		var indented bytes.Buffer
		if err := json.Indent(&indented, b, minionPad, "  "); err != nil {
			return 0, err
		}
		b = indented.Bytes()
	}
	write(w.out, b)
	return len(p), nil
}

// encode returns a value as indented JSON; nothing is escaped for HTML.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// write writes JSON, and escapes what would do something to a terminal: beyond
// the controls of ASCII, JSON itself sees no need to. All such characters are in
// texts. That out fails is found when it is flushed.
func write(out *bufio.Writer, b []byte) {
	start := 0
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		if b[i] < 0x7f || plain.Harmless(r) && size > 1 {
			i += size
			continue
		}
		_, _ = out.Write(b[start:i])
		for _, unit := range utf16.AppendRune(nil, r) {
			fmt.Fprintf(out, `\u%04x`, unit)
		}
		i += size
		start = i
	}
	_, _ = out.Write(b[start:])
}
