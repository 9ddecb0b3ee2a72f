package rawjson

// Cursor reads a text from its front to its end, once, and checks on the way
// that it is JSON: [Cursor.End] says so at last. From where it is not on, the
// cursor reads nothing, and what it has read before is not to be relied on.
//
//	for more := c.Object(); more; more = c.More('}') {
//		name := c.Name()
//		value := c.Value() // or a loop over what the value has in it
//	}
//
// What it returns is a part of the text: nothing is copied but names that have
// an escape in them.
type Cursor struct {
	text  string
	at    int
	depth int
	most  int // how deep it may get
	bad   bool

	python    bool // whether NaN, Infinity and -Infinity are numbers
	nonFinite bool // whether there were any
}

// NewCursor returns a cursor at the front of a text. What is nested deeper than
// most levels counts as no JSON.
func NewCursor(text string, most int) *Cursor { return &Cursor{text: text, most: most} }

// NewPython returns a cursor that also takes NaN, Infinity and -Infinity for
// numbers, which Python's json.dumps writes by default ("Infinite and NaN Number
// Values" in the documentation of its module json). [Finite] makes JSON of them.
func NewPython(text string, most int) *Cursor {
	return &Cursor{text: text, most: most, python: true}
}

// NonFinite reports whether a number that JSON does not have was read.
func (c *Cursor) NonFinite() bool { return c.nonFinite }

// First returns the first byte of what comes next, which tells the type of a
// value; 0 at the end.
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

// Offset returns where the cursor is: after a call of Value, where that ends.
func (c *Cursor) Offset() int { return c.at }

// Since returns the text from an offset up to the cursor.
func (c *Cursor) Since(from int) string { return c.text[from:c.at] }

// Left returns how much of the text is still to be read, in bytes.
func (c *Cursor) Left() int { return len(c.text) - c.at }

// Object goes into the object that comes next. It reports whether there is a
// member in it.
func (c *Cursor) Object() bool { return c.enter('{', '}') }

// Array goes into the array that comes next. It reports whether there is an
// element in it.
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

// More goes on to what comes after a member of an object, or an element of an
// array, which ends with } or ]. It reports whether there is another.
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

// Name returns the name of the member that comes next.
func (c *Cursor) Name() string {
	name := c.String()
	c.colon()
	return name
}

// Quoted returns the name of the member that comes next, as it is written.
func (c *Cursor) Quoted() string {
	if c.First() != '"' {
		c.fail()
		return ""
	}
	name := c.Value()
	c.colon()
	return name
}

func (c *Cursor) colon() {
	if c.First() != ':' {
		c.fail()
		return
	}
	c.at++
}

// String returns what the string says that comes next, as [Text] does.
func (c *Cursor) String() string {
	if c.First() != '"' {
		c.fail()
		return ""
	}
	from := c.at
	plain := c.str()
	switch quoted := c.text[from:c.at]; {
	case c.bad:
		return ""
	case plain:
		return quoted[1 : len(quoted)-1]
	default:
		return Text(quoted)
	}
}

// Value returns the value that comes next, as it is written.
func (c *Cursor) Value() string {
	c.First()
	from := c.at
	c.skip()
	if c.bad {
		return ""
	}
	return c.text[from:c.at]
}

// End reports whether the text is JSON, and read to its end.
func (c *Cursor) End() bool { return c.First() == 0 && c.at == len(c.text) && !c.bad }

// fail ends the reading.
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

// nonNumber reads a number that only Python's JSON has.
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

// digits reads one digit, or more.
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
