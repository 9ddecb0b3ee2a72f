// Package listing describes the entries of a bundle for a report.
package listing

import (
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// Content describes an entry of a bundle.
func Content(it bundle.Item) report.Content {
	return report.Content{Name: it.Name, Size: it.Size, Link: it.Link, Executable: it.Mode.IsRegular() && it.Mode&0o100 != 0}
}
