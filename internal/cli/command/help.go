package command

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/spirostack/spirodeploy/spirodeploy/report/view"
)

const description = `Bundles a project's Salt states and deploys them through a SpiroFS server. Progress goes to standard error, the result to standard output.`

// formats are the formats of a report, for the help.
var formats = kong.Vars{"formats": strings.Join(view.Names(), ", ")}

// groups are the sections of the help.
var groups = kong.ExplicitGroups([]kong.Group{
	{Key: "bundle", Title: "Bundle:"},
	{Key: "server", Title: "Server and token:"},
	{Key: "registry", Title: "Registry (with oci:// in --output, --bundle or --diff; logins are those of docker login):"},
	{Key: "run", Title: "Minions:"},
	{Key: "instead", Title: "Instead of deploying:"},
	{Key: "shown", Title: "Output:"},
	{Key: "other", Title: "Other:"},
})

const rest = `
Other commands (--help after one tells more); a project of one of these names goes after --: spiro-deploy -- check prod
  spiro-deploy init     # write the states of a first project
  spiro-deploy check    # ask the server whether the token is valid
  spiro-deploy token    # say what the token allows, or make a narrower one

Examples:
  spiro-deploy shop prod                          # _salt of this directory; SPIRO_URL and SPIRO_TOKEN say where to
  spiro-deploy --artifact build/shop shop prod    # with what the build made
  spiro-deploy --dry-run shop prod                # lists what would be sent, and asks the server about the token
  spiro-deploy --output shop.tar                  # writes the bundle, and prints its digest
  spiro-deploy --diff shop.tar                    # shows what has changed since
  spiro-deploy --output oci://registry.example.com/shop:1.4        # pushes the bundle; prints its address with a digest
  spiro-deploy --bundle oci://registry.example.com/shop:1.4 shop prod
  spiro-deploy --bundle shop.tar --digest sha256:… shop prod
  spiro-deploy --report html=report.html --report junit=report.xml shop prod
  spiro-deploy --report json=last.json shop prod  # and next time, the same minions have to be there:
  spiro-deploy --expect-from last.json shop prod
  spiro-deploy --completion bash > /etc/bash_completion.d/spiro-deploy

Environment:
  SPIRO_URL, SPIRO_TOKEN                 server and token; the flags come first
  HTTP_PROXY, HTTPS_PROXY, NO_PROXY      as usual, also in lower case; ALL_PROXY stands in for the first two
  SOURCE_DATE_EPOCH                      modification time of all entries, in seconds since 1970 (default: 0)
  DOCKER_CONFIG                          directory with the logins of registries (default: ~/.docker)
  NO_COLOR, CLICOLOR_FORCE               no colours; colours everywhere
  GITHUB_STEP_SUMMARY                    file to add a summary in Markdown to

Exit status:
  0    all well                          4    the server failed
  1    a minion failed or was missing    5    the server could not be reached
  2    something is wrong on this side   6    the outcome is unknown: it may be going on
  3    the server refused                130  interrupted
`

// help prints the flags, and for the command itself examples, environment and statuses.
func help(options kong.HelpOptions, ctx *kong.Context) error {
	if err := kong.DefaultHelpPrinter(options, ctx); err != nil || ctx.Model.Name != program {
		return err
	}
	_, err := fmt.Fprint(ctx.Stdout, rest)
	return err
}
