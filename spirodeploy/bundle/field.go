package bundle

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Fields of a header block; POSIX.1-2017, pax, "ustar Interchange
// Format". The format of before (V7) ends after the link's name.
var (
	fieldName     = field{0, 100}
	fieldMode     = field{100, 8}
	fieldUID      = field{108, 8}
	fieldGID      = field{116, 8}
	fieldSize     = field{124, 12}
	fieldTime     = field{136, 12}
	fieldChecksum = field{148, 8}
	fieldLink     = field{157, 100}
	fieldMagic    = field{257, 8} // with the version
	fieldUname    = field{265, 32}
	fieldGname    = field{297, 32}
	fieldMajor    = field{329, 8}
	fieldMinor    = field{337, 8}
	fieldPrefix   = field{345, 155}
	afterMinor    = field{345, 167}
	afterPrefix   = field{500, 12}
	atFlag        = 156
)

type field struct{ at, size int }

func (f field) of(block []byte) []byte { return block[f.at:][:f.size] }

// Magics, with the versions that belong to them.
const (
	magicUstar = "ustar\x0000"
	magicGNU   = "ustar  \x00" // https://www.gnu.org/software/tar/manual/html_node/Standard.html
	magicV7    = "\x00\x00\x00\x00\x00\x00\x00\x00"
)

// fields reads the fields of a header block. It keeps the first error.
type fields struct {
	block []byte
	err   error
}

func (f *fields) check(err error) { f.err = cmp.Or(f.err, err) }

// text returns the text of a field, up to the first NUL. The rest must be NULs, since some
// readers do not stop at the first.
func (f *fields) text(at field) string {
	text, rest, _ := bytes.Cut(at.of(f.block), []byte{0})
	if !isZero(rest) {
		f.check(odd("something stands behind the end of a text in it"))
	}
	return string(text)
}

// octal reads digits, with spaces before them and spaces or NULs behind. A field without
// digits is 0.
func (f *fields) octal(at field) int64 {
	digits := strings.TrimLeft(strings.TrimRight(string(at.of(f.block)), " \x00"), " ")
	if strings.Trim(digits, "01234567") != "" {
		f.check(odd("%q in it is not an octal number", digits))
	}
	n, _ := strconv.ParseInt(cmp.Or(digits, "0"), 8, 64) // of 12 digits at most
	return n
}

// number reads an octal number, or a binary one of GNU tar: a first byte of 0x80 (0xff
// for a negative number), then the number, highest byte first.
func (f *fields) number(at field) int64 {
	b := slices.Clone(at.of(f.block))
	sign := b[0]
	if sign < 0x80 {
		return f.octal(at)
	}
	extra := len(b) - 8 // bytes that only repeat the sign
	if sign == 0x80 {
		b[0] = 0
	}
	n := int64(binary.BigEndian.Uint64(b[extra:])) //nolint:gosec // two's complement is what the field has
	if bytes.Count(b[:extra], b[:1]) < extra {
		f.check(odd("a number in it is too large"))
	}
	if sign != 0x80 && sign != 0xff || (n < 0) != (sign == 0xff) {
		f.check(odd("a binary number in it is not written as GNU tar writes it"))
	}
	return n
}

// checksumRight reports whether the checksum of a block is right.
func checksumRight(block []byte) bool {
	f := fields{block: block}
	return f.octal(fieldChecksum) == checksum(block) && f.err == nil // never 0
}

// checksum returns the sum of the bytes of a block, with spaces in place of the checksum.
func checksum(block []byte) int64 {
	sum := int64(8 * ' ')
	for _, c := range block {
		sum += int64(c)
	}
	for _, c := range fieldChecksum.of(block) {
		sum -= int64(c)
	}
	return sum
}

func isZero(b []byte) bool { return bytes.Count(b, []byte{0}) == len(b) }

// maxTime is the largest distance of a time from 1970, in seconds: 34,000 years. Some
// servers fail at times that their file system does not take.
const maxTime = 1 << 40

func checkTime(sec int64) error {
	if sec < -maxTime || sec > maxTime {
		return odd("the time %d in it is out of range", sec)
	}
	return nil
}

// paxTime reads a time of a pax record: seconds since 1970, which may be
// negative and have a fraction.
func paxTime(s string) (time.Time, error) {
	bad := odd("the time %q in it is not a number of seconds", s)
	whole, fraction, dot := strings.Cut(s, ".")
	digits := strings.TrimPrefix(whole, "-")
	if !isDecimal(digits) || dot && !isDecimal(fraction) {
		return time.Time{}, bad
	}
	sec, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return time.Time{}, bad
	}
	nsec, _ := strconv.ParseInt((fraction + "000000000")[:9], 10, 64) // digits
	if whole != digits {
		nsec = -nsec
	}
	return time.Unix(sec, nsec), checkTime(sec)
}

func isDecimal(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}
