package topfile

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"
)

const (
	// MaxSize is the largest top file in bytes that the package reads.
	MaxSize = 1 << 20
	// maxDepth is the deepest nesting: Python's recursion limit ends the
	// server's writing of top.sls a little later.
	maxDepth = 200
	// maxWork bounds what merge keys and aliases may multiply.
	maxWork = 100_000
	// maxDigits is the longest decimal integer that Python reads.
	maxDigits = 4300
)

// A SyntaxError says where and why the server refuses a file's YAML.
type SyntaxError struct {
	// Line and Column count from 1, in lines and characters. They are 0 if the
	// fault has no place.
	Line, Column int
	// Exception is the exception that the server reports, as Python names it.
	Exception string
	// Problem says what is wrong.
	Problem string
	// Hint says what to write instead. It may be empty.
	Hint string
}

func (e *SyntaxError) Error() string {
	text := e.Problem
	if e.Hint != "" {
		text += ": " + e.Hint
	}
	if e.Line > 0 {
		return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, text)
	}
	return text
}

// decode returns the root node of the only document in source, or nil if there
// is no document.
func decode(source []byte) (*yaml.Node, error) {
	text := version11(newlines(source))
	if at := invalidUTF8(text); at >= 0 {
		line, column := position(text, at)
		return nil, &SyntaxError{line, column, "UnicodeDecodeError", "the file is not UTF-8", "save it as UTF-8"}
	}
	r := newReferee(strings.TrimPrefix(text, "\ufeff"))
	if r.err != nil {
		return nil, r.err
	}
	root, err := decodeOne(text)
	for again := len(text); again <= maxAgain; again += len(text) {
		apart, ok := unglue(err, text)
		if !ok {
			break
		}
		before := err
		if root, err = decodeOne(apart); sameLine(before, err) {
			err = before // the space has only made another mistake of it
			break
		}
		text = apart
	}
	if root == nil || err != nil {
		return nil, explain(err, text)
	}
	r.lines = lines(text)
	r.check(root, place{})
	r.tabs(len(r.lines)+1, false)
	return root, r.err
}

// maxAgain is how many bytes are parsed again because of comments without white space
// before them. The next such comment is an error.
const maxAgain = 4 * MaxSize

// unglue puts a space before a comment that the library wants one before, as in
// "[web]# all": libyaml, which the server reads with, takes it as it is.
func unglue(err error, text string) (apart string, ok bool) {
	load, ok := glued(err)
	if !ok {
		return "", false
	}
	chars, at := []rune(text), load.Mark.Index
	if strings.HasPrefix(text, "\ufeff") {
		at++ // the library does not count it
	}
	if at >= len(chars) || chars[at] != '#' {
		return "", false
	}
	return string(slices.Insert(chars, at, ' ')), true
}

func glued(err error) (*yaml.LoadError, bool) {
	load, ok := errors.AsType[*yaml.LoadError](err)
	return load, ok && strings.Contains(load.Message, "comment without preceding whitespace")
}

// sameLine reports whether two errors are about one line, and the second is another one.
func sameLine(a, b error) bool {
	x, _ := glued(a)
	y, again := glued(b)
	return !again && y != nil && x.Mark.Line == y.Mark.Line
}

// decodeOne reads the only document of a text. A bug of the library is an error here.
func decodeOne(text string) (root *yaml.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			root, err = nil, fmt.Errorf("%v", r)
		}
	}()
	var all []yaml.Node
	err = yaml.Load([]byte(text), &all, yaml.WithAllDocuments(), yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthFunc(checkDepth))))
	switch {
	case err != nil || len(all) == 0:
		return nil, err
	case len(all) > 1:
		return nil, &SyntaxError{all[1].Line, all[1].Column, "yaml.composer.ComposerError", "a second document begins here", "the server takes one document"}
	}
	return all[0].Content[0], nil
}

var errDeep = fmt.Errorf("the nesting is deeper than %d levels", maxDepth)

func checkDepth(depth int, _ *yaml.DepthContext) error {
	if depth > maxDepth {
		return errDeep
	}
	return nil
}

// newlines translates line ends as Python does in a text file.
func newlines(source []byte) string {
	return strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(source))
}

// directive12 is a directive for version 1.2, behind nothing but other directives, comments
// and empty lines.
var directive12 = regexp.MustCompile("\\A(\ufeff?" + `(?:[ \t]*(?:[#%].*)?\n)*?[ \t]*%YAML[ \t]+1\.)2([ \t\n]|\z)`)

// version11 names version 1.1 in a directive for 1.2: libyaml reads both alike,
// and our library refuses the second.
func version11(text string) string { return directive12.ReplaceAllString(text, "${1}1${2}") }

// invalidUTF8 returns the offset of the first byte that is not UTF-8, or -1.
func invalidUTF8(text string) int {
	for at, char := range text {
		if char == utf8.RuneError && !strings.HasPrefix(text[at:], "\ufffd") {
			return at
		}
	}
	return -1
}

// position returns the line and the column of an offset, from 1.
func position(text string, at int) (line, column int) {
	start := strings.LastIndexByte(text[:at], '\n') + 1
	return strings.Count(text[:start], "\n") + 1, utf8.RuneCountInString(text[start:at]) + 1
}

// explain turns an error of the library into one for a person.
func explain(err error, text string) error {
	load, ok := errors.AsType[*yaml.LoadError](err)
	if _, known := errors.AsType[*SyntaxError](err); known || err == nil {
		return err
	} else if !ok {
		return &SyntaxError{Exception: "yaml.error.YAMLError", Problem: err.Error()}
	}
	e := &SyntaxError{Line: load.Mark.Line, Column: load.Mark.Column, Problem: load.Message}
	e.Exception = pyYAML(string(load.Stage))
	if load.ContextMsg != "" {
		e.Problem = load.ContextMsg + ": " + e.Problem
		if load.ContextMark.Line > 0 && load.ContextMark.Line < e.Line {
			e.Problem = fmt.Sprintf("%s from line %d: %s", load.ContextMsg, load.ContextMark.Line, load.Message)
		}
	}
	if strings.Contains(e.Problem, errDeep.Error()) {
		e.Problem = errDeep.Error()
	}
	e.Hint = hint(e, load, text)
	return e
}

// pyYAML names the exception of a stage.
func pyYAML(stage string) string {
	return "yaml." + stage + "." + strings.ToUpper(stage[:1]) + stage[1:] + "Error"
}

// hint says what to write instead, for the mistakes that people make.
func hint(e *SyntaxError, load *yaml.LoadError, text string) string {
	lines := strings.Split(text, "\n")
	for _, at := range []int{load.ContextMark.Line, e.Line} {
		if at < 1 || at > len(lines) {
			continue
		}
		line := lines[at-1]
		indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
		word := strings.TrimLeft(line, " \t-[{,\"'?")
		switch {
		case hasJinja(line):
			return "the server reads this file as plain YAML, without Jinja"
		case strings.Contains(indent, "\t"):
			return "indent with spaces, not with tabs"
		case strings.HasPrefix(strings.TrimLeft(line, " \t-[{,?"), "*"): // not in quotes
			return "put a target that begins with * in quotes: '*'"
		case strings.HasPrefix(word, "@") || strings.HasPrefix(word, "%") || strings.HasPrefix(word, "`"):
			return "put a text that begins with " + word[:1] + " in quotes"
		}
	}
	return ""
}
