// Package compat holds the sources of the Python package spirofs-compat, from which
// this repository's tests and demo install it.
package compat

import "embed"

// Files are the sources, as a build of the package needs them.
//
//go:embed LICENSE README.md pyproject.toml spirofs_compat/*.py spirofs_compat/*/*.py
var Files embed.FS
