package report

// palette colours lines for people, with the SGR sequences of ANSI, or does not:
// its zero value.
type palette bool

// color is what an SGR sequence sets. The zero value is none.
type color string

// The colours, which are Salt's (salt 3005, output/highstate.py).
const (
	inRed     color = "31" // failed
	inGreen   color = "32" // as it should be
	inYellow  color = "33" // would be changed; warnings
	inCyan    color = "36" // changed
	boldRed   color = "1;31"
	boldGreen color = "1;32"
)

// paint returns a line in a colour, which ends with it: a log that is cut
// between lines does not bleed.
func (p palette) paint(c color, line string) string {
	if !p || c == "" || line == "" {
		return line
	}
	return "\x1b[" + string(c) + "m" + line + "\x1b[0m"
}
