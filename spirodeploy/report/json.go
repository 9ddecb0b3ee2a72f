package report

import (
	"encoding/json"
	"io"
)

// WriteJSON writes the report as indented JSON; docs/report.md describes its
// members. The errors are those of w.
func (r *Report) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(r)
}
