// Package token holds a SpiroFS token so that it cannot leak by accident.
package token

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"
	"unicode/utf16"
)

// redacted stands in the place of a token.
const redacted = "[redacted]"

// maxFile is the largest size of a token file, in bytes. A token has some hundred; a
// large file is a mistake.
const maxFile = 64 << 10

// ErrNone means that there is no token.
var ErrNone = errors.New("no token")

// Token is a SpiroFS token. Whatever prints, encodes or logs it, with any verb,
// writes "[redacted]"; the secret comes out of [Token.Reveal] alone. The zero
// value is no token.
type Token struct{ secrets secrets } // its own, and those of the tokens that it was narrowed from

// Parse returns the token in s, without surrounding white space. The error is [ErrNone]
// if nothing is left. It never repeats s.
func Parse(s string) (Token, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return Token{}, ErrNone
	}
	if mark := s[0]; (mark == '"' || mark == '\'') && len(s) > 1 && strings.IndexByte(s[1:], mark) == len(s)-2 {
		return Token{}, errors.New("the token is in quotation marks: leave them out")
	}
	if strings.ContainsFunc(s, foreign) {
		return Token{}, errors.New("the token has white space or a control or non-ASCII character in it: it was not copied whole, or something else was copied with it")
	}
	return Token{newSecrets(s)}, nil
}

// foreign reports whether a character cannot be in a token: RFC 9110 allows the others in
// a field value.
func foreign(r rune) bool { return r <= ' ' || r >= 0x7f }

// ReadFile returns the token in a file, without surrounding white space. "-" is a name
// like any other.
func ReadFile(path string) (Token, error) {
	f, err := os.Open(path)
	if err != nil {
		return Token{}, fmt.Errorf("read token: %w", err)
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return Token{}, fmt.Errorf("read token: %s: %w", path, err)
	}
	if len(content) > maxFile {
		return Token{}, fmt.Errorf("read token: %s: larger than any token", path)
	}
	t, err := Parse(decode(content))
	if err != nil {
		return Token{}, fmt.Errorf("read token: %s: %w", path, err)
	}
	return t, nil
}

// decode returns the text of a file without a byte order mark, which editors on Windows put
// in front. PowerShell writes UTF-16 with such a mark.
func decode(content []byte) string {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(content, []byte("\xff\xfe")):
		order = binary.LittleEndian
	case bytes.HasPrefix(content, []byte("\xfe\xff")):
		order = binary.BigEndian
	default:
		return string(bytes.TrimPrefix(content, []byte("\xef\xbb\xbf")))
	}
	if len(content)%2 == 1 {
		content = append(content, 0) // the last character is half there
	}
	var units []uint16
	for unit := range slices.Chunk(content[2:], 2) {
		units = append(units, order.Uint16(unit))
	}
	return string(utf16.Decode(units))
}

// Reveal returns the secret, for the one place that sends it.
func (t Token) Reveal() string {
	if t.IsZero() {
		return ""
	}
	return t.secrets.list()[0]
}

// IsZero reports whether there is no token.
func (t Token) IsZero() bool { return t.secrets.all == nil }

// String returns "[redacted]", or "" if there is no token.
func (t Token) String() string {
	if t.IsZero() {
		return ""
	}
	return redacted
}

// GoString returns the text for %#v.
func (t Token) GoString() string { return "token.Token(" + t.String() + ")" }

// Format prints a token with any verb.
func (t Token) Format(f fmt.State, verb rune) {
	if verb == 'v' && f.Flag('#') {
		_, _ = io.WriteString(f, t.GoString())
		return
	}
	_, _ = io.WriteString(f, t.String())
}

// MarshalText returns String, for JSON, XML and flag libraries.
func (t Token) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText parses a token, as [Parse] does.
func (t *Token) UnmarshalText(text []byte) (err error) {
	*t, err = Parse(string(text))
	return err
}

// LogValue returns String, for slog.
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }
