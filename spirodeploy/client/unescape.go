package client

import (
	"bytes"
	"strconv"
)

// unescape returns JSON of the same meaning in which what a token may have in it
// is written as it is: \u0041 and \/ escape what need not be. Where there is no
// such thing, it returns data itself.
func unescape(data []byte) []byte {
	var out []byte
	done := 0 // up to where out has data
	for i := 0; ; {
		n := bytes.IndexByte(data[i:], '\\')
		if n < 0 || i+n+1 == len(data) {
			break
		}
		i += n
		c, size := escaped(data[i+1:]), len(`\u0041`)
		if data[i+1] == '/' {
			c, size = '/', len(`\/`)
		}
		if c == 0 {
			i += len(`\n`) // or what another escape begins with
			continue
		}
		if out == nil {
			out = make([]byte, 0, len(data))
		}
		out = append(append(out, data[done:i]...), c)
		i += size
		done = i
	}
	if out == nil {
		return data
	}
	return append(out, data[done:]...)
}

// escaped returns the character of an escape such as u0041, if it is one that
// needs none; else 0.
func escaped(s []byte) byte {
	if s[0] != 'u' || len(s) < len("u0041") {
		return 0
	}
	if s[1] != '0' || s[2] != '0' {
		return 0 // none of ASCII; most are like that
	}
	n, err := strconv.ParseUint(string(s[1:5]), 16, 16)
	if err != nil || n <= ' ' || n >= 0x7f || n == '"' || n == '\\' {
		return 0
	}
	return byte(n)
}
