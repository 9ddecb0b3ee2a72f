package client

import (
	"bytes"
	"strconv"
)

// unescape returns JSON of the same meaning in which what a token may have in it
// is written as it is: \u0041 and \/ escape what need not be. Where there is no
// such thing, it returns data itself.
func unescape(data []byte) []byte {
	if !bytes.Contains(data, []byte(`\u00`)) && !bytes.Contains(data, []byte(`\/`)) {
		return data
	}
	out := make([]byte, 0, len(data))
	for i := 0; i < len(data); i++ {
		if data[i] != '\\' || i+1 == len(data) {
			out = append(out, data[i])
			continue
		}
		i++
		switch c := escaped(data[i:]); {
		case data[i] == '/':
			out = append(out, '/')
		case c != 0:
			out = append(out, c)
			i += len("0041")
		default:
			out = append(out, '\\', data[i])
		}
	}
	return out
}

// escaped returns the character of an escape such as u0041, if it is one that
// needs none; else 0.
func escaped(s []byte) byte {
	if s[0] != 'u' || len(s) < len("u0041") {
		return 0
	}
	n, err := strconv.ParseUint(string(s[1:5]), 16, 16)
	if err != nil || n <= ' ' || n >= 0x7f || n == '"' || n == '\\' {
		return 0
	}
	return byte(n)
}
