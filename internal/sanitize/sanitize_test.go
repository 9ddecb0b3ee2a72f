package sanitize_test

import (
	"testing"

	"github.com/spirostack/spirodeploy/internal/sanitize"
)

func TestText(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, text, line string }{
		{"größe … ok", "größe … ok", "größe … ok"},
		{"a\tb\nc", "a\tb\nc", `a\x09b\nc`},
		{"\x1b[31mred\x07", `\x1b[31mred\x07`, `\x1b[31mred\x07`},
		{"a\r\nb\r\nc", "a\nb\nc", `a\x0d\nb\x0d\nc`},
		{"a\r\nb\r", "a\nb", `a\x0d\nb\x0d`},
		{"a\r", "a\\x0d", `a\x0d`},
		{"-a\r\n+a\n", "-a\\x0d\n+a\n", `-a\x0d\n+a\n`},
		{"a\rb\r\r\n", "a\\x0db\\x0d\n", `a\x0db\x0d\x0d\n`},
		{"\u202eevil\u2066", `\u202eevil\u2066`, `\u202eevil\u2066`},
		{"\xff\xfe", `\xff\xfe`, `\xff\xfe`},
		{"\u009b31m", `\x9b31m`, `\x9b31m`},
		{"a\u2028b\u2029", `a\u2028b\u2029`, `a\u2028b\u2029`},
		{"web\u200b1\ufeff\u00ad", `web\u200b1\ufeff\xad`, `web\u200b1\ufeff\xad`},
		{"tag\U000e0041", `tag\U000e0041`, `tag\U000e0041`},
		{"می\u200cخواهم 👨\u200d👩 \u0600", "می\u200cخواهم 👨\u200d👩 \u0600", "می\u200cخواهم 👨\u200d👩 \u0600"},
		{"\ufffd", "\ufffd", "\ufffd"},
		{"##[error] ##[[attachment|x]]", "## [error] ## [ [attachment|x]]", "## [error] ## [ [attachment|x]]"},
	} {
		if got := sanitize.Text(tt.in); got != tt.text {
			t.Errorf("Text(%q) = %q, want %q", tt.in, got, tt.text)
		}
		if got := sanitize.Line(tt.in); got != tt.line {
			t.Errorf("Line(%q) = %q, want %q", tt.in, got, tt.line)
		}
	}
}

func TestClip(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{"", ""}, {"four", "four"}, {"a line", "a li… (2 more bytes)"}, {"aäää", "aä… (4 more bytes)"}, {"\x80\x80\x80\x80\x80", "… (5 more bytes)"},
	} {
		if got := sanitize.Clip(tt.in, 4); got != tt.want {
			t.Errorf("Clip(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}
