package view

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/rawjson"
	"github.com/spirostack/spirodeploy/internal/sanitize"
)

// changes renders the changes of a state as an indented tree of about maxShown bytes.
// They may be any JSON, and large ones stay as they are.
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
	var v any
	switch {
	case len(raw) > maxShown:
		w.add("", sanitize.Clip(rawjson.View(raw), maxShown))
	case len(raw) > 0 && json.Unmarshal(raw, &v) == nil:
		members, _ := v.(map[string]any)
		if s, _ := members["diff"].(string); w.brief && strings.Contains(s, "\n") {
			diff = strings.TrimRight(s, "\n")
			delete(members, "diff")
		}
		w.value("", v)
	}
	if w.dropped > 0 {
		w.lines = append(w.lines, line{w.color, "… (" + human.Thousands(w.dropped) + " more bytes)"})
	}
	return diff
}

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
