package topfile

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Kind says what a finding is about.
type Kind string

// The kinds of findings, with the severity that they come with.
const (
	// KindYAML is a top file that the server refuses (Problem).
	KindYAML Kind = "yaml"
	// KindSize is a top file of more than [MaxSize] bytes, of which nothing else is
	// known (Problem).
	KindSize Kind = "size"
	// KindRead is a top file that cannot be read (Problem).
	KindRead Kind = "read"
	// KindShape is YAML that Salt cannot take for targets (Problem), or takes
	// otherwise than it looks (Warning).
	KindShape Kind = "shape"
	// KindDeployment is a deployment that is not in the top file (Problem).
	KindDeployment Kind = "deployment"
	// KindTargets is a deployment without targets (Warning).
	KindTargets Kind = "targets"
	// KindSLS is an SLS that the top file names and the bundle does not have (Problem).
	KindSLS Kind = "sls"
	// KindBoth is a bundle with both top.sls and spirotop.sls (Warning).
	KindBoth Kind = "both"
	// KindNone is a bundle with neither (Warning).
	KindNone Kind = "none"
	// KindReference is an include or a salt:// source that is not in the bundle
	// (Warning).
	KindReference Kind = "reference"
)

// A Severity is a hint for what a caller does with a finding.
type Severity uint8

// A Warning is told. A Problem keeps the deployment from doing what it is for.
const (
	Warning Severity = iota
	Problem
)

func (s Severity) String() string {
	if s == Problem {
		return "problem"
	}
	return "warning"
}

// A Finding is something that is wrong with what a bundle deploys.
type Finding struct {
	Kind     Kind
	Severity Severity
	// File is the slash path in the bundle, without [Options.Prefix]. It is empty if
	// the finding is about no file.
	File string
	// Line and Column count from 1. They are 0 if the finding is about no place.
	Line, Column int
	// Text is the whole sentence, with the place and what to do. Names in it that
	// hold control characters are quoted.
	Text string
}

func (f Finding) String() string { return f.Text }

// show returns a name from a file for a sentence: one line of bounded length that
// no terminal acts on.
func show(name string) string {
	const most = 200
	if utf8.RuneCountInString(name) > most {
		name = string([]rune(name)[:most]) + "…"
	}
	if name == "" || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(name)
	}
	return name
}

// enumerate lists names for a sentence, in bounds.
func enumerate(names []string) string {
	const most = 20
	shown, more := names, ""
	if len(names) > most {
		shown, more = names[:most], fmt.Sprintf(" and %d more", len(names)-most)
	}
	shown = slices.Clone(shown)
	for i := range shown {
		shown[i] = show(shown[i])
	}
	return strings.Join(shown, ", ") + more
}
