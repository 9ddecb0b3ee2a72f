package highstate

import (
	"slices"
	"strings"

	"github.com/spirostack/spirodeploy/internal/rawjson"
)

// field is a member of a state that counts.
type field int

const (
	fieldOther field = iota
	fieldID
	fieldName
	fieldSLS
	fieldStart
	fieldComment
	fieldWarnings
	fieldDuration
	fieldChanges
	fieldResult
	fieldRun
)

func fieldOf(name string) field {
	switch name {
	case "__id__":
		return fieldID
	case "name":
		return fieldName
	case "__sls__":
		return fieldSLS
	case "start_time":
		return fieldStart
	case "comment":
		return fieldComment
	case "warnings":
		return fieldWarnings
	case "duration":
		return fieldDuration
	case "changes":
		return fieldChanges
	case "result":
		return fieldResult
	case "__run_num__":
		return fieldRun
	}
	return fieldOther
}

// member is a member of the last state.
type member struct {
	text  string // everything up to the value: white space, the name, and the colon
	field field
}

// field reads the name of the n-th member of a state. Most states have the members of the one
// before, in the same order.
func (p *parser) field(n int) field {
	n = min(n, len(p.members)-1)
	last := &p.members[n]
	if last.text != "" && p.Match(last.text) {
		return last.field
	}
	from := p.Offset()
	f := fieldOf(p.Name())
	p.First()
	*last = member{p.Since(from), f}
	return f
}

// written is a value that should be a text, as it is written.
type written struct {
	raw   string
	plain bool // whether the text is what stands between the quotes
}

func (p *parser) written() written {
	raw, plain := p.Plain()
	return written{raw, plain}
}

func (w written) text() string {
	if w.plain {
		return w.raw[1 : len(w.raw)-1]
	}
	return text(w.raw)
}

// state reads the state of a tag, and returns when it ran. A brief parser reads only the
// outcome, the duration and the warnings of a state that is not telling.
func (p *parser) state(tag written, s *State) (run float64) {
	*s = State{}
	if p.First() != '{' {
		s.Outcome, s.Comment = Bad, "Salt returned "+short(p.Value())+" in place of a state."
		s.splitTag(tag.text(), "", p)
		return lastRun
	}
	var id, name, sls, start, comment written
	var result, changes string
	from, has, n := p.Offset(), false, 0
	run = lastRun
	for more := p.Object(); more; more = p.More('}') {
		switch p.field(n) {
		case fieldID:
			id = p.written()
		case fieldName:
			name = p.written()
		case fieldSLS:
			sls = p.written()
		case fieldStart:
			start = p.written()
		case fieldComment:
			comment = p.written()
		case fieldWarnings:
			s.Warnings = texts(p.Value())
		case fieldDuration:
			s.Duration = milliseconds(max(0, number(p.Value())))
		case fieldChanges:
			changes = p.Value()
		case fieldResult:
			result, has = p.Value(), true
		case fieldRun:
			value := p.Value()
			if run = number(value); !isNumber(value) {
				run = lastRun
			}
		case fieldOther:
			p.Value()
		}
		n++
	}
	changed := truthy(changes)
	switch {
	case result == "false", !has && !nestedOK(p.Since(from)):
		s.Outcome = Bad
	case result == "null":
		s.Outcome = Pending
	case changed:
		s.Outcome = Changed
	default:
		s.Outcome = OK
	}
	s.SLS = p.sls(sls)
	if p.brief && !s.Telling() {
		return run
	}
	s.splitTag(tag.text(), id.text(), p)
	if name := name.text(); name != "" {
		s.Name = name
	}
	s.Comment, s.Start = comment.text(), start.text()
	if changed {
		s.Changes = []byte(changes)
	}
	return run
}

// sls returns the name of an SLS, and notes it. Most states have the name of the one before.
func (p *parser) sls(w written) string {
	if w.plain && w.raw == p.lastSLS {
		return w.text()
	}
	name := w.text()
	if name != "" && len(p.names) < maxSLS {
		p.lastSLS = w.raw
		if !slices.Contains(p.names, name) {
			p.names = append(p.names, strings.Clone(name)) // which does not keep the rest in memory
		}
	}
	return name
}

// maxSLS is how many names of SLS are noted.
const maxSLS = 200

// nestedOK judges an entry without a result by the entries in it, as Salt does.
func nestedOK(raw string) bool {
	found := false
	for _, inner := range rawjson.Members(raw) {
		found = true
		if rawjson.First(inner) != '{' {
			continue
		}
		result, has := resultOf(inner)
		if result == "false" || !has && !nestedOK(inner) {
			return false
		}
	}
	return found
}

// resultOf returns the "result" of an entry as written.
func resultOf(raw string) (result string, has bool) {
	for key, value := range rawjson.Members(raw) {
		if key == "result" {
			result, has = value, true
		}
	}
	return result, has
}

// separator stands between the parts of a tag, MODULE_|-ID_|-NAME_|-FUNCTION.
const separator = "_|-"

// splitTag reads a tag. NAME and even ID may contain the separator, so a known ID helps.
func (s *State) splitTag(tag, id string, p *parser) {
	module, rest, found := strings.Cut(tag, separator)
	end := strings.LastIndex(rest, separator)
	if !found || end < 0 {
		s.ID, s.Name = tag, tag
		return
	}
	s.Function = p.function(module, rest[end+len(separator):])
	middle := rest[:end]
	if name, ok := strings.CutPrefix(middle, id+separator); ok && id != "" {
		s.ID, s.Name = id, name
		return
	}
	s.ID, s.Name, _ = strings.Cut(middle, separator)
}

// function returns MODULE.FUNCTION. The state before often had the same.
func (p *parser) function(module, function string) string {
	if n := len(module); len(p.last) != n+1+len(function) || p.last[:n] != module || p.last[n+1:] != function {
		p.last = module + "." + function
	}
	return p.last
}
