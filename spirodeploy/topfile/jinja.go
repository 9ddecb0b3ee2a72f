package topfile

import (
	"bytes"
	"slices"
	"strings"
)

// marks begin what Jinja renders.
var marks = []string{"{{", "{%", "{#"}

// hasJinja tells whether Salt has to render a text to know what it says.
func hasJinja(text string) bool {
	return slices.ContainsFunc(marks, func(mark string) bool { return strings.Contains(text, mark) })
}

// Template tells whether Salt has to render a top.sls to know what it says: it has
// Jinja, or is for a renderer other than the default. A spirotop.sls is never
// rendered.
func Template(source []byte) bool { return hasJinja(string(source)) || !defaultRenderer(source) }

// defaultRenderer tells whether a file is for Salt's default renderer, Jinja and then
// YAML, and not for one that its first line names.
func defaultRenderer(source []byte) bool {
	source = bytes.TrimPrefix(source, []byte("\ufeff"))
	if !bytes.HasPrefix(source, []byte("#!")) {
		return true
	}
	line, _, _ := bytes.Cut(source, []byte("\n"))
	renderer := strings.ReplaceAll(strings.TrimSpace(string(line[2:])), " ", "")
	return renderer == "jinja|yaml" || renderer == "yaml"
}

// A blanked file has its Jinja replaced, so that what is left can be read as YAML.
type blanked struct {
	text []byte
	// jinja are the lines, from 1, that had some: what stands in them is unknown.
	jinja map[int]bool
}

// blank replaces Jinja: an expression by letters, which make a scalar, and the
// rest by spaces, what {% raw %} holds too. Lines stay where they are.
func blank(source []byte) blanked {
	out := bytes.Clone(source)
	lines := map[int]bool{}
	line := 1
	for at := 0; at < len(out); {
		if out[at] != '{' || at+1 == len(out) || !strings.ContainsRune("{%#", rune(out[at+1])) {
			if out[at] == '\n' {
				line++
			}
			at++
			continue
		}
		length, fill := extent(out[at:])
		for end := at + length; at < end; at++ {
			if lines[line] = true; out[at] == '\n' {
				line++
			} else {
				out[at] = fill
			}
		}
	}
	return blanked{out, lines}
}

// extent returns how long the Jinja is that text begins with, and what takes its place.
func extent(text []byte) (length int, fill byte) {
	end, fill := map[byte]string{'{': "}}", '%': "%}", '#': "#}"}[text[1]], byte(' ')
	if text[1] == '{' {
		fill = 'x'
	}
	n := bytes.Index(text[2:], []byte(end))
	if n < 0 {
		return len(text), ' '
	}
	length = n + 4
	if text[1] == '%' && strings.Trim(string(text[2:n+2]), "-+ \t\n") == "raw" {
		for _, endraw := range []string{"{% endraw", "{%- endraw", "{%endraw", "{%-endraw"} {
			if n := bytes.Index(text[length:], []byte(endraw)); n >= 0 {
				return length + n, fill
			}
		}
		return len(text), fill
	}
	return length, fill
}
