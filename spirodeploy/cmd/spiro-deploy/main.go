// Command spiro-deploy deploys a project's Salt states through a SpiroFS server.
// It takes the flags, positions and environment of the first-party client of
// the same name, and more: see spiro-deploy --help and docs/command.md.
package main

import "github.com/spirostack/spirodeploy/internal/cli/command"

func main() { command.Main() }
