package plain_test

import (
	"testing"

	"github.com/spirostack/spirodeploy/internal/plain"
)

func TestText(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, text, line string }{
		{"größe … ok", "größe … ok", "größe … ok"},
		{"a\tb\nc", "a\tb\nc", `a\x09b\nc`},
		{"\x1b[31mred\x07", `\x1b[31mred\x07`, `\x1b[31mred\x07`},
		{"a\r\nb", "a\\x0d\nb", `a\x0d\nb`},
		{"\u202eevil\u2066", `\u202eevil\u2066`, `\u202eevil\u2066`},
		{"\xff\xfe", `\xff\xfe`, `\xff\xfe`},
		{"\u009b31m", `\x9b31m`, `\x9b31m`},
		{"\ufffd", "\ufffd", "\ufffd"},
	} {
		if got := plain.Text(tt.in); got != tt.text {
			t.Errorf("Text(%q) = %q, want %q", tt.in, got, tt.text)
		}
		if got := plain.Line(tt.in); got != tt.line {
			t.Errorf("Line(%q) = %q, want %q", tt.in, got, tt.line)
		}
	}
}
