package report

import (
	"bufio"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/spirostack/spirodeploy/internal/rawjson"
	"github.com/spirostack/spirodeploy/internal/sanitize"
)

// jsonWriter writes JSON piece by piece, as package json does: indented or not,
// and nothing is escaped for HTML. What would do something to a terminal is:
// beyond the controls of ASCII, JSON itself sees no need to.
//
// That out fails is found when it is flushed.
type jsonWriter struct {
	out     *bufio.Writer
	compact bool
	depth   int
	filled  bool   // what was opened last has something in it
	buf     []byte // for the details of minions
}

func (w *jsonWriter) open(bracket byte) {
	_ = w.out.WriteByte(bracket)
	w.depth++
	w.filled = false
}

func (w *jsonWriter) close(bracket byte) {
	w.depth--
	if w.filled {
		w.line()
	}
	_ = w.out.WriteByte(bracket)
	w.filled = true
}

// next begins a member or an element.
func (w *jsonWriter) next() {
	if w.filled {
		_ = w.out.WriteByte(',')
	}
	w.filled = true
	w.line()
}

// line begins a line.
func (w *jsonWriter) line() {
	if w.compact {
		return
	}
	_ = w.out.WriteByte('\n')
	const pad = "                                "
	for n := 2 * w.depth; n > 0; n -= len(pad) {
		_, _ = w.out.WriteString(pad[:min(n, len(pad))])
	}
}

// name begins a member whose name needs no escapes.
func (w *jsonWriter) name(name string) {
	w.next()
	_ = w.out.WriteByte('"')
	_, _ = w.out.WriteString(name)
	_ = w.out.WriteByte('"')
	w.colon()
}

func (w *jsonWriter) colon() {
	_ = w.out.WriteByte(':')
	if !w.compact {
		_ = w.out.WriteByte(' ')
	}
}

func (w *jsonWriter) text(name, text string) {
	w.name(name)
	w.quote(text)
}

func (w *jsonWriter) textIfAny(name, text string) {
	if text != "" {
		w.text(name, text)
	}
}

// texts writes a list of texts, if there are any.
func (w *jsonWriter) texts(name string, texts []string) {
	if len(texts) == 0 {
		return
	}
	w.name(name)
	w.open('[')
	for _, text := range texts {
		w.next()
		w.quote(text)
	}
	w.close(']')
}

// shortEscapes are the escapes that are no numbers.
var shortEscapes = [256]string{'"': `\"`, '\\': `\\`, '\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`}

// quote writes a text as a string.
func (w *jsonWriter) quote(s string) {
	_ = w.out.WriteByte('"')
	start := 0
	for i := 0; i < len(s); {
		if c := s[i]; c >= ' ' && c < 0x7f && c != '"' && c != '\\' {
			i++ // most of it is
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if s[i] >= 0x80 && size > 1 && sanitize.Harmless(r) {
			i += size
			continue
		}
		_, _ = w.out.WriteString(s[start:i])
		if short := shortEscapes[s[i]]; short != "" {
			_, _ = w.out.WriteString(short)
		} else {
			escapeRune(w.out, r)
		}
		i += size
		start = i
	}
	_, _ = w.out.WriteString(s[start:])
	_ = w.out.WriteByte('"')
}

// value writes a value that is JSON already.
func (w *jsonWriter) value(raw []byte) {
	c := rawjson.NewCursor(rawjson.View(raw), maxLevels)
	w.read(c)
}

// maxLevels is more than any result has.
const maxLevels = 10_000

// inside writes the members of an object that is JSON already.
func (w *jsonWriter) inside(object string) {
	c := rawjson.NewCursor(object, maxLevels)
	for more := c.Object(); more; more = c.More('}') {
		w.member(c)
	}
}

// member writes the member that comes next.
func (w *jsonWriter) member(c *rawjson.Cursor) {
	w.next()
	write(w.out, c.Quoted())
	w.colon()
	w.read(c)
}

// read writes the value that comes next.
func (w *jsonWriter) read(c *rawjson.Cursor) {
	switch c.First() {
	case '{':
		w.open('{')
		for more := c.Object(); more; more = c.More('}') {
			w.member(c)
		}
		w.close('}')
	case '[':
		w.open('[')
		for more := c.Array(); more; more = c.More(']') {
			w.next()
			w.read(c)
		}
		w.close(']')
	default:
		write(w.out, c.Value())
	}
}

// write writes JSON, and escapes what would do something to a terminal: all
// such characters are in texts.
func write(out *bufio.Writer, s string) {
	start := 0
	for i := 0; i < len(s); {
		if s[i] < 0x7f {
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if size > 1 && sanitize.Harmless(r) {
			i += size
			continue
		}
		_, _ = out.WriteString(s[start:i])
		escapeRune(out, r)
		i += size
		start = i
	}
	_, _ = out.WriteString(s[start:])
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
