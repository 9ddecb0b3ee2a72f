package spirotest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"

	"github.com/spirostack/spirodeploy/internal/rawjson"
)

// member is one key of an object and its value.
type member struct {
	key   string
	value any
}

// object is a JSON object that keeps the order of its keys.
type object []member

// MarshalJSON writes the members in their order.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	out := encoder(&b)
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := out.Encode(m.key); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		if err := out.Encode(m.value); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// encoder returns an encoder that escapes nothing for HTML.
func encoder(w io.Writer) *json.Encoder {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e
}

// pythonJSON writes a value as Python's json.dumps does by default: a space
// after each comma and colon, and nothing but ASCII.
func pythonJSON(v any) (string, error) {
	var compact bytes.Buffer
	if err := encoder(&compact).Encode(v); err != nil {
		return "", err
	}
	text := strings.TrimSuffix(compact.String(), "\n")
	var b strings.Builder
	end := 0 // of the last string
	for i, r := range text {
		if r == '"' && i >= end {
			end = rawjson.EndOfString(text, i)
		}
		switch {
		case r > '~':
			for _, unit := range utf16.AppendRune(nil, r) {
				fmt.Fprintf(&b, `\u%04x`, unit)
			}
		case i >= end && (r == ',' || r == ':'):
			b.WriteRune(r)
			b.WriteByte(' ')
		default:
			b.WriteRune(r)
		}
	}
	return b.String(), nil
}
