package token

import (
	"strings"
	"testing"
)

// lower returns s with ASCII letters in lower case.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		b[i] = small(c)
	}
	return string(b)
}

// FuzzKey: the gram of a text is that of the text in lower case, and of no other.
func FuzzKey(f *testing.F) {
	f.Add("ABZ[@az{", "abz[@az{")
	f.Add("\xc1\xda\x81\x9aAZ\xff\x00", "\xe1\xfa\xa1\xbaaz\xff\x00")
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a) < gram || len(b) < gram {
			return
		}
		if (key(a) == key(b)) != (lower(a[:gram]) == lower(b[:gram])) || key(a) != key(lower(a)) {
			t.Errorf("%q: %x, %q: %x", a[:gram], key(a), b[:gram], key(b))
		}
	})
}

func BenchmarkRedact(b *testing.B) {
	tok, err := Parse(strings.Repeat("MDAxY2xvY2F0aW9uIGh0dHBzOi8vdG9rZW4", 10))
	if err != nil {
		b.Fatal(err)
	}
	text := strings.Repeat(`"comment": "File /etc/app/conf.d/app.conf is in the correct state", `, 15_000)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if tok.Redact(text) != text {
			b.Fatal("something was found")
		}
	}
}
