package rawjson

// Cursor reads a text once, from front to end, and checks that it is JSON. [Cursor.End]
// returns the result of the check. After the first error, the cursor reads nothing more,
// and the caller must not rely on what it read before.
//
//	for more := c.Object(); more; more = c.More('}') {
//		name := c.Name()
//		value := c.Value() // or a loop over what the value has in it
//	}
//
// Values are parts of the text. The cursor copies only strings that contain an escape.
type Cursor struct {
	text  string
	at    int
	depth int
	most  int // the deepest level
	bad   bool

	python    bool // accept NaN, Infinity and -Infinity
	nonFinite bool // there were some
}

// NewCursor returns a cursor at the front of a text. It rejects values nested deeper than
// most levels.
func NewCursor(text string, most int) *Cursor { return &Cursor{text: text, most: most} }

// NewPython returns a cursor that also accepts the numbers NaN, Infinity and -Infinity,
// which Python's json.dumps writes by default ("Infinite and NaN Number Values" in the
// documentation of its module json). [Finite] turns such a text into JSON.
func NewPython(text string, most int) *Cursor {
	return &Cursor{text: text, most: most, python: true}
}

// NonFinite reports whether the cursor read NaN, Infinity or -Infinity.
func (c *Cursor) NonFinite() bool { return c.nonFinite }

// First returns the first byte of the next value, which tells its type; 0 at the end.
func (c *Cursor) First() byte {
	for c.at < len(c.text) {
		b := c.text[c.at]
		if b > ' ' || b != ' ' && b != '\n' && b != '\t' && b != '\r' {
			return b
		}
		c.at++
	}
	return 0
}

// Offset returns the position of the cursor. After Value, it is the end of the value.
func (c *Cursor) Offset() int { return c.at }

// Since returns the text from an offset up to the cursor.
func (c *Cursor) Since(from int) string { return c.text[from:c.at] }

// Rest returns the text that is left to read.
func (c *Cursor) Rest() string { return c.text[c.at:] }

// Match moves the cursor over a text if that comes next, and reports whether it does. It does
// not check JSON: the text must be valid at this place.
func (c *Cursor) Match(text string) bool {
	end := c.at + len(text)
	if end > len(c.text) || c.text[c.at:end] != text {
		return false
	}
	c.at = end
	return true
}

// Skip moves the cursor over n bytes that are known to be a value.
func (c *Cursor) Skip(n int) { c.at += n }

// Object enters the next value, an object, and reports whether it has a member.
func (c *Cursor) Object() bool { return c.enter('{', '}') }

// Array enters the next value, an array, and reports whether it has an element.
func (c *Cursor) Array() bool { return c.enter('[', ']') }

func (c *Cursor) enter(open, end byte) bool {
	if c.First() != open || c.depth == c.most {
		return c.fail()
	}
	c.at++
	if c.First() == end {
		c.at++
		return false
	}
	c.depth++
	return true
}

// More moves on after a member of an object or an element of an array, and reports whether
// there is another one. The end is '}' or ']'.
func (c *Cursor) More(end byte) bool {
	switch c.First() {
	case ',':
		c.at++
		return true
	case end:
		c.at++
		c.depth--
		return false
	}
	return c.fail()
}

// Name returns the name of the next member, decoded.
func (c *Cursor) Name() string {
	name := c.String()
	c.colon()
	return name
}

// Quoted returns the name of the next member as it is written, with its quotes, and what
// [Cursor.Plain] reports of it.
func (c *Cursor) Quoted() (name string, plain bool) {
	if c.First() != '"' {
		c.fail()
		return "", false
	}
	name, plain = c.Plain()
	c.colon()
	return name, plain
}

func (c *Cursor) colon() {
	if c.First() != ':' {
		c.fail()
		return
	}
	c.at++
}

// String returns the next value, a string, decoded like [Text].
func (c *Cursor) String() string {
	if c.First() != '"' {
		c.fail()
		return ""
	}
	switch quoted, plain := c.Plain(); {
	case c.bad:
		return ""
	case plain:
		return quoted[1 : len(quoted)-1]
	default:
		return Text(quoted)
	}
}

// Value returns the next value as it is written.
func (c *Cursor) Value() string {
	c.First()
	from := c.at
	c.skip()
	if c.bad {
		return ""
	}
	return c.text[from:c.at]
}

// Plain returns what Value does. If plain is true, that is a string whose text is what stands
// between the quotes. Plain may be false for such a string, too.
func (c *Cursor) Plain() (value string, plain bool) {
	if c.First() != '"' {
		return c.Value(), false
	}
	from := c.at
	if plain = c.str(); c.bad {
		return "", false
	}
	return c.text[from:c.at], plain
}

// End reports whether the text is JSON and the cursor is at its end.
func (c *Cursor) End() bool { return c.First() == 0 && c.at == len(c.text) && !c.bad }

// fail rejects the text and ends reading.
func (c *Cursor) fail() bool {
	c.bad, c.at = true, len(c.text)
	return false
}

func (c *Cursor) skip() {
	switch c.First() {
	case '"':
		c.str()
	case '{':
		for more := c.Object(); more; more = c.More('}') {
			if c.First() != '"' {
				c.fail()
				return
			}
			c.str()
			c.colon()
			c.skip()
		}
	case '[':
		for more := c.Array(); more; more = c.More(']') {
			c.skip()
		}
	case 't':
		c.literal("true")
	case 'f':
		c.literal("false")
	case 'n':
		c.literal("null")
	case 'N':
		c.nonNumber("NaN")
	case 'I':
		c.nonNumber("Infinity")
	default:
		c.number()
	}
}

func (c *Cursor) literal(word string) {
	if end := c.at + len(word); end > len(c.text) || c.text[c.at:end] != word {
		c.fail()
		return
	}
	c.at += len(word)
}

// nonNumber reads a number that only Python writes.
func (c *Cursor) nonNumber(word string) {
	if !c.python {
		c.fail()
		return
	}
	c.nonFinite = true
	c.literal(word)
}

func (c *Cursor) number() {
	if c.peek() == '-' {
		c.at++
		if c.peek() == 'I' {
			c.nonNumber("Infinity")
			return
		}
	}
	if c.peek() == '0' {
		c.at++
	} else {
		c.digits()
	}
	if c.peek() == '.' {
		c.at++
		c.digits()
	}
	if b := c.peek(); b == 'e' || b == 'E' {
		c.at++
		if b := c.peek(); b == '+' || b == '-' {
			c.at++
		}
		c.digits()
	}
}

// digits reads one or more digits.
func (c *Cursor) digits() {
	from := c.at
	for c.at < len(c.text) && c.text[c.at]-'0' <= 9 {
		c.at++
	}
	if c.at == from {
		c.fail()
	}
}

// peek returns the byte at the cursor; 0 at the end.
func (c *Cursor) peek() byte {
	if c.at < len(c.text) {
		return c.text[c.at]
	}
	return 0
}
