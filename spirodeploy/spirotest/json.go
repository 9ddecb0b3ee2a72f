package spirotest

import (
	"bytes"
	"encoding/json"
	"fmt"
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
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := compactJSON(m.key)
		if err != nil {
			return nil, err
		}
		value, err := compactJSON(m.value)
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// compactJSON is json.Marshal without escapes for HTML.
func compactJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// pythonJSON writes a value as Python's json.dumps does by default: a space
// after each comma and colon, and nothing but ASCII.
func pythonJSON(v any) (string, error) {
	compact, err := compactJSON(v)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for text := string(compact); text != ""; {
		n := 1
		if text[0] == '"' {
			n = rawjson.EndOfString(text, 0)
			var s string
			if err := json.Unmarshal([]byte(text[:n]), &s); err != nil {
				return "", err
			}
			writePythonString(&b, s)
		} else if b.WriteByte(text[0]); text[0] == ',' || text[0] == ':' {
			b.WriteByte(' ')
		}
		text = text[n:]
	}
	return b.String(), nil
}

func writePythonString(b *strings.Builder, s string) {
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case strings.ContainsRune("\n\r\t\f\b", r):
			b.WriteByte('\\')
			b.WriteByte("btn_fr"[r-'\b'])
		case r >= ' ' && r <= '~':
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(b, `\u%04x`, r)
		}
	}
	b.WriteByte('"')
}
