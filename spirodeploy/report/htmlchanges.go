package report

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/spirostack/spirodeploy/internal/rawjson"
	"github.com/spirostack/spirodeploy/internal/sanitize"
)

// changeTexts returns a state's changes as an indented tree, and apart from it
// the diff that file.managed and its like have. They may be anything: large ones
// stay JSON.
func changeTexts(raw json.RawMessage, most int) (tree, diff string) {
	var v any
	if len(raw) > most {
		return sanitize.Clip(rawjson.View(raw), most), ""
	}
	if len(raw) == 0 || json.Unmarshal(raw, &v) != nil {
		return "", ""
	}
	if members, ok := v.(map[string]any); ok {
		if s, ok := members["diff"].(string); ok && strings.Contains(s, "\n") {
			diff = s
			delete(members, "diff")
		}
	}
	var b strings.Builder
	tellValue(&b, "", v)
	return strings.TrimSpace(b.String()), strings.TrimRight(diff, "\n")
}

func tellValue(b *strings.Builder, pad string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			b.WriteString(pad + sanitize.Line(key) + ":")
			tellMember(b, pad, v[key])
		}
	case []any:
		for _, item := range v {
			b.WriteString(pad + "-")
			tellMember(b, pad, item)
		}
	default:
		b.WriteString(pad + scalar(v) + "\n")
	}
}

// tellMember writes what fits on the line of its key there, all else below it.
func tellMember(b *strings.Builder, pad string, v any) {
	if was, is, ok := oldAndNew(v); ok {
		b.WriteString(" " + was + " → " + is + "\n")
		return
	}
	switch v := v.(type) {
	case map[string]any, []any:
		b.WriteByte('\n')
		tellValue(b, pad+"  ", v)
	default:
		s := strings.TrimRight(scalar(v), "\n")
		if strings.Contains(s, "\n") {
			b.WriteByte('\n')
			for part := range strings.SplitSeq(s, "\n") {
				b.WriteString(strings.TrimRight(pad+"  "+part, " ") + "\n")
			}
			return
		}
		b.WriteString(strings.TrimRight(" "+s, " ") + "\n")
	}
}

// oldAndNew returns what many states say of what they change, in short, as
// pkg.installed does of versions.
func oldAndNew(v any) (was, is string, ok bool) {
	members, ok := v.(map[string]any)
	if !ok || len(members) != 2 {
		return "", "", false
	}
	for key, into := range map[string]*string{"old": &was, "new": &is} {
		value, has := members[key]
		switch value.(type) {
		case map[string]any, []any:
			return "", "", false
		}
		if *into = scalar(value); !has || strings.Contains(*into, "\n") {
			return "", "", false
		}
		if *into == "" {
			*into = `""`
		}
	}
	return was, is, true
}
