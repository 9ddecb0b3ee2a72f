package report

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/rawjson"
	"github.com/spirostack/spirodeploy/internal/sanitize"
)

// changeLines returns a state's changes as indented lines: the one way that fits the
// changes of every state module, which may be anything. Large ones stay JSON.
func changeLines(raw json.RawMessage, c color) []line {
	w := changesWriter{color: c}
	var v any
	switch {
	case len(raw) > maxShown:
		w.add("", sanitize.Clip(rawjson.View(raw), maxShown))
	case len(raw) > 0 && json.Unmarshal(raw, &v) == nil:
		w.value("", v)
	}
	if w.dropped > 0 {
		w.lines = append(w.lines, line{c, "… (" + human.Thousands(w.dropped) + " more bytes)"})
	}
	return w.lines
}

// changesWriter makes lines, of about maxShown bytes at most.
type changesWriter struct {
	color   color
	lines   []line
	size    int
	dropped int // what did not fit, in bytes
}

func (w *changesWriter) value(pad string, v any) {
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

// member writes a short value on the line of its key, others below it.
func (w *changesWriter) member(pad, key string, v any, mayDiffer bool) {
	switch v := v.(type) {
	case map[string]any, []any:
		w.add("", key)
		w.value(pad+"  ", v)
	default:
		s := strings.TrimRight(scalar(v), "\n")
		switch {
		case mayDiffer && isDiff(s):
			w.add("", key)
			w.diff(pad+"  ", s)
		case strings.Contains(s, "\n"):
			w.add("", key)
			w.add(pad+"  ", s)
		default:
			w.add("", strings.TrimRight(key+" "+s, " "))
		}
	}
}

func (w *changesWriter) diff(pad, diff string) {
	was := w.color
	for c, text := range coloredDiff(diff) {
		w.color = c
		w.add(pad, text)
	}
	w.color = was
}

// add adds a text of one line or more.
func (w *changesWriter) add(pad, text string) {
	for part := range strings.SplitSeq(sanitize.Text(text), "\n") {
		if part != "" {
			part = pad + part
		}
		if w.size += len(part) + 1; w.size > 2*maxShown { // twice: some of it is indentation
			w.dropped += len(part)
			continue
		}
		w.lines = append(w.lines, line{w.color, part})
	}
}

// scalar returns a value that has no others in it.
func scalar(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}
