package topfile

import (
	"bytes"
	"regexp"
	"strings"
)

// hasJinja tells whether Salt has to render a text to know what it says.
var hasJinja = regexp.MustCompile(`\{[{%#]`).MatchString

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

// jinja matches what Jinja renders, {% raw %} with all that it holds. What is not closed goes
// on to the end of the file.
var jinja = regexp.MustCompile(`(?s)\{%[-+ \t\n]*raw[-+ \t\n]*%\}.*?(?:\{%-? ?endraw.*?%\}|\z)|\{\{.*?(?:\}\}|\z)|\{%.*?(?:%\}|\z)|\{#.*?(?:#\}|\z)`)

// blank replaces Jinja, so that what is left can be read as YAML: an expression by letters,
// which make a scalar, and the rest by spaces. It returns the lines, from 1, that had some:
// what stands in them is unknown.
func blank(source string) (text string, lines map[int]bool) {
	text = jinja.ReplaceAllStringFunc(source, func(found string) string {
		fill := ' '
		if strings.HasPrefix(found, "{{") && strings.HasSuffix(found, "}}") {
			fill = 'x'
		}
		return strings.Map(func(char rune) rune {
			if char == '\n' {
				return char
			}
			return fill
		}, found)
	})
	lines = map[int]bool{}
	before := strings.Split(source, "\n")
	for i, line := range strings.Split(text, "\n") {
		if line != before[i] {
			lines[i+1] = true
		}
	}
	return text, lines
}
