package highstate

import (
	"slices"
	"strings"

	"github.com/spirostack/spirodeploy/internal/rawjson"
)

// state reads the state of a tag, and when it ran.
func (p *parser) state(tag string) (s State, run float64) {
	if p.First() != '{' {
		s.Outcome, s.Comment = Bad, "Salt returned "+short(p.Value())+" in place of a state."
		s.splitTag(tag, "", p)
		return s, lastRun
	}
	var id, name, result, changes string
	from, has := p.Offset(), false
	run = lastRun
	for more := p.Object(); more; more = p.More('}') {
		switch p.Name() {
		case "__id__":
			id = p.text()
		case "name":
			name = p.text()
		case "__sls__":
			s.SLS = p.sls()
		case "start_time":
			s.Start = p.text()
		case "comment":
			s.Comment = p.text()
		case "warnings":
			s.Warnings = texts(p.Value())
		case "duration":
			s.Duration = milliseconds(max(0, number(p.Value())))
		case "changes":
			changes = p.Value()
		case "result":
			result, has = p.Value(), true
		case "__run_num__":
			value := p.Value()
			if run = number(value); !isNumber(value) {
				run = lastRun
			}
		default:
			p.Value()
		}
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
	s.splitTag(tag, id, p)
	if name != "" {
		s.Name = name
	}
	if changed {
		s.Changes = []byte(changes)
	}
	return s, run
}

// text reads a value that should be a text.
func (p *parser) text() string {
	if p.First() == '"' {
		return p.String()
	}
	return text(p.Value())
}

// sls reads the name of an SLS, and notes it. Most states have the name of the one before.
func (p *parser) sls() string {
	from := p.Offset()
	name := p.text()
	if name != "" && name != p.lastSLS && len(p.names) < maxSLS && from < p.Offset() {
		p.lastSLS = name
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
