package view

import (
	"cmp"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/rawjson"
	"github.com/spirostack/spirodeploy/internal/sanitize"
)

// changes renders the changes of a state as an indented tree of about maxShown bytes.
// They may be any JSON. Large ones have the beginning of each text, such as a diff, or stay
// as they are.
type changes struct {
	brief   bool // shows old and new values as "old → new", and leaves out the diff
	color   color
	lines   []line
	size    int
	dropped int // bytes without room
}

// changeLines returns changes as Salt's outputter shows them.
func changeLines(raw json.RawMessage, c color) []line {
	w := changes{color: c}
	w.render(raw)
	return w.lines
}

// changeTexts returns changes in brief, and the diff of file.managed and similar states.
func changeTexts(raw json.RawMessage) (tree, diff string) {
	w := changes{brief: true}
	diff = w.render(raw)
	texts := each(w.lines, func(l line) string { return strings.TrimRight(l.text, " ") })
	return strings.TrimSpace(strings.Join(texts, "\n")), diff
}

func (w *changes) render(raw json.RawMessage) (diff string) {
	v, ok := w.decode(raw)
	switch {
	case !ok && len(raw) > maxShown:
		w.add("", sanitize.Clip(rawjson.View(raw), maxShown))
	case ok:
		members, _ := v.(map[string]any)
		if s, _ := members["diff"].(string); w.brief && strings.Contains(s, "\n") {
			diff = strings.TrimRight(s, "\n")
			if w.dropped > 0 { // of the diff, most likely
				diff += "\n" + w.more()
				w.dropped = 0
			}
			delete(members, "diff")
		}
		w.value("", v)
	}
	if w.dropped > 0 {
		w.lines = append(w.lines, line{w.color, w.more()})
	}
	return diff
}

func (w *changes) more() string { return "… (" + human.Thousands(w.dropped) + " more bytes)" }

// decode returns changes for rendering, with the beginning of each text if they are large. It
// fails if they are large otherwise.
func (w *changes) decode(raw json.RawMessage) (v any, ok bool) {
	if len(raw) <= maxShown {
		return v, len(raw) > 0 && json.Unmarshal(raw, &v) == nil
	}
	members, size, dropped := map[string]any{}, 0, 0
	for name, value := range rawjson.Members(rawjson.View(raw)) {
		var member any
		if rawjson.First(value) == '"' {
			text, more := beginning(value)
			member, dropped = text, dropped+more
		} else if len(value) > maxShown || json.Unmarshal([]byte(value), &member) != nil {
			return nil, false
		}
		if size += len(name) + min(len(value), maxShown); size > 4*maxShown {
			return nil, false
		}
		members[name] = member
	}
	w.dropped += dropped
	return members, len(members) > 0
}

// beginning decodes the beginning of a text in JSON, and says how many bytes it leaves out. It
// does not look at all of a large text.
func beginning(quoted string) (text string, more int) {
	const most = 2 * maxShown // of what is decoded: most texts have few escapes
	if len(quoted) > most {
		end := most
		for range utf8.UTFMax - 1 { // not more: it may not be UTF-8
			if !utf8.RuneStart(quoted[end]) {
				end--
			}
		}
		// An escape has up to six bytes. It begins after an even number of backslashes.
		if last := strings.LastIndexByte(quoted[end-6:end], '\\'); last >= 0 {
			last += end - 6
			if run := last + 1 - len(strings.TrimRight(quoted[:last+1], `\`)); run%2 == 1 {
				end = last
			}
		}
		if surrogate.MatchString(quoted[end-6:end]) && (end-5-len(strings.TrimRight(quoted[:end-5], `\`)))%2 == 1 {
			end -= 6 // its other half is cut off
		}
		quoted, more = quoted[:end]+`"`, len(quoted)-1-end
	}
	text = rawjson.Text(quoted)
	if len(text) <= maxShown {
		return text, more
	}
	end := maxShown
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end], more + len(text) - end
}

// surrogate matches the first of two escapes that are one character together.
var surrogate = regexp.MustCompile(`^\\u[dD][89abAB][0-9a-fA-F]{2}$`)

func (w *changes) value(pad string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			w.member(pad, pad+sanitize.Line(key)+":", v[key], key == "diff")
		}
	case []any:
		for _, item := range v {
			w.member(pad, pad+"-", item, false)
		}
	default:
		w.add(pad, scalar(v))
	}
}

// member writes a short value on the line of its key, and other values below it.
func (w *changes) member(pad, key string, v any, mayDiffer bool) {
	if short := oldAndNew(v); w.brief && short != "" {
		w.add("", key+" "+short)
		return
	}
	if isNested(v) {
		w.add("", key)
		w.value(pad+"  ", v)
		return
	}
	s := strings.TrimRight(scalar(v), "\n")
	switch {
	case mayDiffer && isDiff(s):
		w.add("", key)
		for _, l := range coloredDiff(s) {
			w.addIn(l.color, pad+"  ", l.text)
		}
	case strings.Contains(s, "\n"):
		w.add("", key)
		w.add(pad+"  ", s)
	default:
		w.add("", strings.TrimRight(key+" "+s, " "))
	}
}

// add adds a text of one or more lines.
func (w *changes) add(pad, text string) { w.addIn(w.color, pad, text) }

func (w *changes) addIn(c color, pad, text string) {
	for part := range strings.SplitSeq(sanitize.Text(text), "\n") {
		if part != "" {
			part = pad + part
		}
		if w.size += len(part) + 1; w.size > 2*maxShown { // twice: some of it is indentation
			w.dropped += len(part)
			continue
		}
		w.lines = append(w.lines, line{c, part})
	}
}

// oldAndNew returns "old → new" for the changes of pkg.installed and similar states, and
// "" for others.
func oldAndNew(v any) string {
	members, _ := v.(map[string]any)
	was, hasOld := members["old"]
	is, hasNew := members["new"]
	if len(members) != 2 || !hasOld || !hasNew || isNested(was) || isNested(is) {
		return ""
	}
	text := cmp.Or(scalar(was), `""`) + " → " + cmp.Or(scalar(is), `""`)
	if strings.Contains(text, "\n") {
		return ""
	}
	return text
}

// isNested reports whether a value contains others.
func isNested(v any) bool {
	switch v.(type) {
	case map[string]any, []any:
		return true
	}
	return false
}

// scalar returns a value that contains no others.
func scalar(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	b, _ := json.Marshal(v) // which was JSON
	return string(b)
}
