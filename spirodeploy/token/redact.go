package token

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"iter"
	"net/url"
	"slices"
	"strings"
	"sync"
)

const (
	// minRedact is the length of the shortest token that Redact looks for, in bytes. A
	// shorter one protects nothing, and would be found in any text.
	minRedact = 8
	// gram is the number of bytes that are compared at once.
	gram = 8
	// minPart is the length of the shortest part of a token that Redact looks for, in
	// bytes: such a part has a gram that begins at a multiple of gram.
	minPart = 2*gram - 1
	// maxPlaces is the number of places of a gram that are tried: all of them in a token
	// that a server issues.
	maxPlaces = 4096
)

// Redact returns s with "[redacted]" in place of the token, or of any 15 characters of it
// in a row. It finds the token as it is, in base64 (also as a part of something longer),
// in hex, and escaped for URLs, JSON and HTML, in upper or lower case. It is for text from
// elsewhere, such as a server that repeats a request. It also redacts the token from
// which [Token.Narrow] made this one. It leaves tokens of less than 8 bytes alone.
func (t Token) Redact(s string) string { return t.secrets.redact(s) }

// secrets are texts that must not be shown. The zero value has none. They are behind
// functions, since reflection cannot look into these: fmt uses that for a token in an
// unexported field, and test failures for a dump.
type secrets struct {
	all    func() []string
	finder func() *finder
}

func newSecrets(all ...string) secrets {
	return secrets{func() []string { return all }, sync.OnceValue(func() *finder { return newFinder(all) })}
}

// list returns the secrets.
func (s secrets) list() []string {
	if s.all == nil {
		return nil
	}
	return s.all()
}

func (s secrets) redact(text string) string {
	if s.finder == nil {
		return text
	}
	return s.finder().redact(text, 0, len(text))
}

func (s secrets) redactJSON(text string, inside bool) string {
	if s.finder == nil {
		return text
	}
	return s.finder().redactJSON(text, inside)
}

// forms returns the forms in which a token may be written, in lower case.
func forms(secret string) []string {
	percent := "%" + strings.ReplaceAll(fmt.Sprintf("% x", secret), " ", "%")
	quoted, _ := json.Marshal(secret) // a string cannot fail
	all := []string{
		secret, hex.EncodeToString([]byte(secret)), percent, url.QueryEscape(secret), url.PathEscape(secret),
		html.EscapeString(secret), pythonHTML.Replace(secret), references(secret, "\"&'+<>"), references(secret, markdown), string(quoted[1 : len(quoted)-1]), strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(secret),
	}
	// Base64 takes bytes in groups of three, which may begin before the token does:
	// "Bearer TOKEN" looks different from TOKEN.
	for from := range min(3, len(secret)) {
		all = append(all,
			base64.StdEncoding.EncodeToString([]byte(secret[from:])),
			base64.URLEncoding.EncodeToString([]byte(secret[from:])))
	}
	for i, form := range all {
		all[i] = strings.ToLower(form) // of the same length, for a token is ASCII
	}
	return all
}

// pythonHTML escapes as html.escape of Python does.
var pythonHTML = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#x27;")

// markdown are the characters that a report in Markdown writes as references.
const markdown = "!\"#$&*+.:<>@[\\]^_`{|}~"

// references returns a text with some characters as numbers, as package
// html/template and the Markdown of a report have them.
func references(s, which string) string {
	var b strings.Builder
	for i := range len(s) {
		if strings.IndexByte(which, s[i]) < 0 {
			b.WriteByte(s[i])
			continue
		}
		fmt.Fprintf(&b, "&#%d;", s[i])
	}
	return b.String()
}

func small(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// word returns the gram that s begins with.
func word(s string) uint64 {
	s = s[:gram]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// key returns the gram that s begins with, in lower case.
func key(s string) uint64 {
	k := word(s)
	// All eight bytes at once: the highest bit of each tells that it is a letter
	// from A to Z. Without that bit, no sum reaches the next byte.
	const each = 0x0101010101010101
	low := k &^ (0x80 * each)
	letter := (low + (0x80-'A')*each) &^ (low + (0x80-'Z'-1)*each) &^ k & (0x80 * each)
	return k | letter>>2 // 0x20, which a small letter has more
}

// place is the place of a gram in a form of a secret.
type place struct {
	form string
	at   int
}

// enough returns the length of the shortest part of the form that counts.
func (p place) enough() int { return min(minPart, len(p.form)) }

// finder finds secrets.
type finder struct {
	step    int // how far apart the grams are that are looked at
	longest int // length of the longest form
	places  map[uint64][]place
	maybe   [1 << 12]uint64 // a bit for each hash of a gram: most text has none of them
}

// bit returns the place of the bit for a gram. Letters in upper and lower case have the same
// one, and so do some other characters: that takes less time than key.
func bit(gram uint64) (at uint64, mask uint64) {
	h := (gram | 0x2020202020202020) * 0x9e3779b97f4a7c15 >> (64 - 18)
	return h / 64, 1 << (h % 64)
}

func newFinder(secrets []string) *finder {
	f := &finder{step: gram, places: map[uint64][]place{}}
	var all []string
	for _, secret := range secrets {
		if len(secret) >= minRedact {
			all = append(all, forms(secret)...)
		}
	}
	slices.Sort(all)
	for _, form := range slices.Compact(all) {
		f.longest = max(f.longest, len(form))
		if len(form) < minPart {
			f.step = 1
		}
		for at := range len(form) - gram + 1 {
			k := key(form[at:])
			if len(f.places[k]) < maxPlaces {
				f.places[k] = append(f.places[k], place{form, at})
			}
			bits, mask := bit(k)
			f.maybe[bits] |= mask
		}
	}
	return f
}

// find yields the ranges of s that hold a secret, each widened to whole escapes. It
// looks at every eighth byte only, to keep up with large events.
func (f *finder) find(s string) iter.Seq2[int, int] {
	return func(yield func(from, to int) bool) {
		done := 0
		for i := 0; i+gram <= len(s); i += f.step {
			if at, mask := bit(word(s[i:])); f.maybe[at]&mask == 0 || i < done {
				continue
			}
			from, to := widest(s, i, f.places[key(s[i:])], done)
			if from == to {
				continue
			}
			from, _ = escapeAt(s, from)
			if _, to = escapeAt(s, to); !yield(from, to) {
				return
			}
			done = to
		}
	}
}

// has reports whether a secret is in s.
func (f *finder) has(s string) bool {
	for range f.find(s) {
		return true
	}
	return false
}

// redact redacts s[first:last], and no byte before or after.
func (f *finder) redact(s string, first, last int) string {
	var b strings.Builder
	done := 0
	for from, to := range f.find(s) {
		if from, to = max(from, first), min(to, last); from < to {
			b.WriteString(s[done:from])
			b.WriteString(redacted)
			done = to
		}
	}
	if done == 0 {
		return s
	}
	b.WriteString(s[done:])
	return b.String()
}

// widest returns the longest part of a form around the gram at i that is long
// enough, beginning at least at least.
func widest(s string, i int, places []place, least int) (from, to int) {
	for _, p := range places {
		if a, b := extend(s, i, p, least); b-a > to-from && b-a >= p.enough() {
			from, to = a, b
		}
	}
	return from, to
}

// extend returns the longest part of s around s[i:i+gram], beginning at least
// at least, that is a part of the form too.
func extend(s string, i int, p place, least int) (from, to int) {
	from, start := i, p.at
	for from > least && start > 0 && small(s[from-1]) == p.form[start-1] {
		from, start = from-1, start-1
	}
	to, end := i+gram, p.at+gram
	for to < len(s) && end < len(p.form) && small(s[to]) == p.form[end] {
		to, end = to+1, end+1
	}
	return from, to
}
