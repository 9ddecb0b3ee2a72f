// Package jsontext writes JSON piece by piece, indented or in one line. It escapes
// nothing for HTML, but every character that acts on a terminal.
package jsontext

import (
	"bufio"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/spirostack/spirodeploy/internal/rawjson"
	"github.com/spirostack/spirodeploy/internal/sanitize"
)

// Writer writes JSON to Out, whose Flush returns the first error.
type Writer struct {
	Out     *bufio.Writer
	Compact bool // everything in one line
	depth   int
	filled  bool // whether the innermost list or object has an element
}

// At returns a writer that continues at a depth of an indented text.
func At(out *bufio.Writer, depth int) *Writer { return &Writer{Out: out, depth: depth} }

// Open begins a list or an object.
func (w *Writer) Open(bracket byte) {
	_ = w.Out.WriteByte(bracket)
	w.depth++
	w.filled = false
}

// Close ends a list or an object.
func (w *Writer) Close(bracket byte) {
	w.depth--
	b := w.Out.AvailableBuffer()
	if w.filled {
		b = w.line(b)
	}
	_, _ = w.Out.Write(append(b, bracket))
	w.filled = true
}

// Next begins an element of a list.
func (w *Writer) Next() { _, _ = w.Out.Write(w.next(w.Out.AvailableBuffer())) }

func (w *Writer) next(b []byte) []byte {
	if w.filled {
		b = append(b, ',')
	}
	w.filled = true
	return w.line(b)
}

// line begins a line.
func (w *Writer) line(b []byte) []byte {
	if w.Compact {
		return b
	}
	b = append(b, '\n')
	const pad = "                                "
	for n := 2 * w.depth; n > 0; n -= len(pad) {
		b = append(b, pad[:min(n, len(pad))]...)
	}
	return b
}

// Name begins a member of an object. The name must need no escapes.
func (w *Writer) Name(name string) { _, _ = w.Out.Write(w.name(name)) }

// name returns the beginning of a member in the buffer of Out.
func (w *Writer) name(name string) []byte {
	b := append(append(append(w.next(w.Out.AvailableBuffer()), '"'), name...), '"', ':')
	if !w.Compact {
		b = append(b, ' ')
	}
	return b
}

func (w *Writer) colon() {
	_ = w.Out.WriteByte(':')
	if !w.Compact {
		_ = w.Out.WriteByte(' ')
	}
}

// Text writes a member that is a text.
func (w *Writer) Text(name, text string) {
	b := w.name(name)
	if cap(b)-len(b) < len(text)+2 || plain(text, true) < len(text) {
		_, _ = w.Out.Write(b)
		w.quote(text)
		return
	}
	_, _ = w.Out.Write(append(append(append(b, '"'), text...), '"'))
}

// TextIfAny writes a member that is a text, unless it is empty.
func (w *Writer) TextIfAny(name, text string) {
	if text != "" {
		w.Text(name, text)
	}
}

// Texts writes a member that is a list of texts, unless it is empty.
func (w *Writer) Texts(name string, texts []string) {
	if len(texts) == 0 {
		return
	}
	w.Name(name)
	w.Open('[')
	for _, text := range texts {
		w.Next()
		w.quote(text)
	}
	w.Close(']')
}

// shortEscapes are the escapes that are not numbers.
var shortEscapes = [256]string{'"': `\"`, '\\': `\\`, '\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`}

// quote writes a text as a string.
func (w *Writer) quote(s string) {
	_ = w.Out.WriteByte('"')
	escape(w.Out, s, true)
	_ = w.Out.WriteByte('"')
}

// Number writes a member that is a number.
func (w *Writer) Number(name string, n float64) {
	_, _ = w.Out.Write(strconv.AppendFloat(w.name(name), n, 'f', -1, 64))
}

// Value writes a value that is valid JSON.
func (w *Writer) Value(raw []byte) {
	c := rawjson.NewCursor(rawjson.View(raw), maxLevels)
	w.read(c)
}

// maxLevels is more than any value has.
const maxLevels = 10_000

// Members writes the members of an object that is valid JSON.
func (w *Writer) Members(object string) {
	c := rawjson.NewCursor(object, maxLevels)
	for more := c.Object(); more; more = c.More('}') {
		w.member(c)
	}
}

// member writes the next member.
func (w *Writer) member(c *rawjson.Cursor) {
	w.Next()
	name, _ := c.Quoted()
	Raw(w.Out, name)
	w.colon()
	w.read(c)
}

// read writes the next value.
func (w *Writer) read(c *rawjson.Cursor) {
	switch c.First() {
	case '{':
		w.Open('{')
		for more := c.Object(); more; more = c.More('}') {
			w.member(c)
		}
		w.Close('}')
	case '[':
		w.Open('[')
		for more := c.Array(); more; more = c.More(']') {
			w.Next()
			w.read(c)
		}
		w.Close(']')
	default:
		Raw(w.Out, c.Value())
	}
}

// Raw writes valid JSON and escapes what acts on a terminal, which can only be in texts.
func Raw(out *bufio.Writer, s string) { escape(out, s, false) }

// escape escapes what acts on a terminal, and what a string cannot contain if s is a text.
func escape(out *bufio.Writer, s string, text bool) {
	start := 0
	for i := 0; ; {
		if i += plain(s[i:], text); i == len(s) {
			break
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if s[i] >= 0x80 && size > 1 && sanitize.Harmless(r) {
			i += size
			continue
		}
		_, _ = out.WriteString(s[start:i])
		if short := shortEscapes[s[i]]; short != "" {
			_, _ = out.WriteString(short)
		} else {
			escapeRune(out, r)
		}
		i += size
		start = i
	}
	_, _ = out.WriteString(s[start:])
}

// Bit patterns in each of the eight bytes of a word.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// plain returns how many of the first characters need no escape, which are ASCII.
func plain(s string, text bool) (n int) {
	for ; n+8 <= len(s); n += 8 {
		b := s[n : n+8]
		w := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
			uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
		found := w | (w + ones) // not ASCII, or DEL
		if text {
			quote, slash := w^'"'*ones, w^'\\'*ones
			found |= (w-' '*ones)&^w | (quote-ones)&^quote | (slash-ones)&^slash
		}
		if found&highs != 0 {
			break
		}
	}
	for n < len(s) && s[n] < 0x7f && (!text || s[n] >= ' ' && s[n] != '"' && s[n] != '\\') {
		n++
	}
	return n
}

// escapeRune writes a character by its number.
func escapeRune(out *bufio.Writer, r rune) {
	const digits = "0123456789abcdef"
	for _, unit := range utf16.AppendRune(nil, r) {
		_, _ = out.WriteString(`\u`)
		for shift := 12; shift >= 0; shift -= 4 {
			_ = out.WriteByte(digits[unit>>shift&0xf])
		}
	}
}

// Reset begins a new text.
func (w *Writer) Reset() { w.depth, w.filled = 0, false }
