package rawjson

import "math/bits"

// Bit patterns in each of the eight bytes of a word.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// str reads the string at the cursor. It reports whether the string is plain, that is,
// ASCII without an escape, which decoding does not change. It may miss a plain one.
func (c *Cursor) str() (plain bool) {
	s, i := c.text, c.at+1
	seen := uint64(0)
	escapes := false
	for {
		for i+8 <= len(s) {
			b := s[i : i+8]
			w := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
				uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
			seen |= w
			// The lowest set bit marks the first byte that ends a run: a quote, a
			// backslash or a control. Higher bits may be wrong.
			quote, slash := w^'"'*ones, w^'\\'*ones
			ends := ((w-' '*ones)&^w | (quote-ones)&^quote | (slash-ones)&^slash) & highs
			if ends != 0 {
				i += bits.TrailingZeros64(ends) / 8
				break
			}
			i += 8
		}
		for i < len(s) && s[i] >= ' ' && s[i] != '"' && s[i] != '\\' {
			seen |= uint64(s[i])
			i++
		}
		switch {
		case i == len(s) || s[i] < ' ':
			return c.fail()
		case s[i] == '"':
			c.at = i + 1
			return !escapes && seen&highs == 0
		}
		escapes = true
		size := sizeOfEscape(s[i:])
		if size == 0 {
			return c.fail()
		}
		i += size
	}
}

// sizeOfEscape returns the size of the escape at the beginning of s; 0 if it is invalid.
func sizeOfEscape(s string) int {
	if len(s) < 2 {
		return 0
	}
	switch s[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if _, ok := hex4(s); ok {
			return 6
		}
	}
	return 0
}

// hex4 decodes the escape \uXXXX at the beginning of s.
func hex4(s string) (r rune, ok bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	for _, b := range []byte(s[2:6]) {
		switch {
		case '0' <= b && b <= '9':
			b -= '0'
		case 'a' <= b|0x20 && b|0x20 <= 'f':
			b = b | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(b)
	}
	return r, true
}
