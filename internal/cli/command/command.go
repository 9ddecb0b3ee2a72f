// Package command is the command spiro-deploy without its main function, which
// the Dagger module writes for itself: an edit of the command's own folder does not
// rebuild the module.
package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/spirostack/spirodeploy/internal/cli"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// Main runs the command with the arguments, environment and files of the process,
// and ends the process with its exit status.
func Main() {
	limitMemory(os.Getenv)
	os.Exit(run(os.Args[1:]))
}

// limitMemory makes the garbage collector work harder: sooner than Go's default, and
// hardest from 84 MiB on, so that large events of a server do not make the process large.
// A lower limit would make it collect all the time during an event of 16 MiB. GOGC replaces
// the percentage alone, and GOMEMLIMIT the limit alone.
//
// With a heap of a few MiB the percentage would make it collect after each result of 1 MiB,
// which takes a third of the processor time. So it takes the heap to be larger than it is, by
// memory that is never written to and hence never in use.
func limitMemory(getenv func(string) string) {
	const percent, unused = 60, 16 << 20
	limit := int64(84 << 20)
	if getenv("GOGC") == "" {
		ballast = make([]byte, unused)
		limit += unused // the ballast counts
		debug.SetGCPercent(percent)
	}
	if getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(limit)
	}
}

// ballast keeps memory that makes the heap look larger.
var ballast []byte

// run returns the exit status.
func run(args []string) int {
	world := cli.Process()
	line, exit := parse(args, world)
	if exit != goOn {
		return exit
	}
	ctx, stop := cli.UntilSignal(context.Background(), append(cli.Gone, os.Interrupt)...)
	defer stop()
	return fail(line.run(ctx, world))
}

// goOn is not an exit status.
const goOn = -1

// parse reads the command line. Beside a line to run it returns goOn; else it has said
// what there is to say, and returns the exit status.
func parse(args []string, world cli.World) (line commandLine, exit int) {
	exit = goOn
	name, line, rest := find(args)
	parser, err := kong.New(line,
		kong.Name(name),
		kong.Description(line.about()),
		kong.Exit(func(status int) { exit = status }),
		kong.Writers(world.Stdout, world.Stderr),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.Help(help), groups, formats, verbatim,
	)
	if err == nil {
		_, err = parser.Parse(rest)
	}
	if exit != goOn { // --help or --version has printed
		return line, exit
	}
	if f, ok := line.(*flags); ok && err == nil {
		f.trim(parser.Model.Flags)
		if err = f.check(); err == nil && f.Completion != nil {
			exit, err = 0, complete(world.Stdout, *f.Completion)
		}
	}
	if err != nil {
		fmt.Fprintf(world.Stderr, "spiro-deploy: %s (%s --help lists the flags)\n", sanitize.Line(world.Redact(explain(err, name, parser.Model, rest), args...)), name)
		return line, report.Invalid.ExitStatus()
	}
	return line, exit
}

// verbatim takes arguments as they are. The parser would copy them by way of JSON, where
// bytes that are not UTF-8 become others: another file, or another project.
var verbatim = kong.KindMapper(reflect.String, kong.MapperFunc(func(ctx *kong.DecodeContext, target reflect.Value) error {
	t, err := ctx.Scan.PopValue("string")
	if err == nil {
		target.SetString(t.String())
	}
	return err
}))

// explain says in our words what the parser found. It must not repeat surplus arguments:
// one of them may be a token.
func explain(err error, command string, model *kong.Application, args []string) string {
	text := err.Error()
	verb, isVerb := strings.CutPrefix(command, program+" ")
	switch {
	case strings.HasPrefix(text, "unexpected argument") && isVerb:
		named := "--project names a project"
		if verb == "init" {
			named = "--dir names the directory"
		}
		return fmt.Sprintf("%s takes no argument: %s; to deploy a project of this name, write %s -- %s DEPLOYMENT", command, named, program, verb)
	case strings.HasPrefix(text, "unexpected argument"):
		return "there are more arguments than PROJECT and DEPLOYMENT" + surplus(args)
	case strings.HasPrefix(text, "unknown flag -"):
		if given, flag := spelledByMage(model, args); flag != "" {
			return fmt.Sprintf("unknown flag %s: write --%s", given, flag)
		}
	}
	for _, w := range parserWords {
		if w.of.MatchString(text) {
			return w.of.ReplaceAllString(text, w.ours)
		}
	}
	return text
}

// surplus returns a hint for surplus arguments.
func surplus(args []string) string {
	switch {
	case args[0] == "deploy":
		return fmt.Sprintf(": to deploy, write %s without the word deploy", program)
	case instead[args[0]] != "":
		return fmt.Sprintf(": instead of a command %s, write %s %s", args[0], program, instead[args[0]])
	case slices.Contains(args, "--artifact"):
		return ": --artifact takes one path, and is repeated for others"
	}
	return ""
}

// spelledByMage returns an argument that is a flag as mage spells it, and its name.
func spelledByMage(model *kong.Application, args []string) (given, name string) {
	for _, arg := range args {
		if given, _, _ = strings.Cut(arg, "="); len(given) < 3 || given[0] != '-' || given[1] == '-' {
			continue
		}
		for _, f := range model.Flags {
			if (&cli.Settings{Mage: true}).Flag(f.Name) == given {
				return given, f.Name
			}
		}
	}
	return "", ""
}

// parserWords are texts of the parser, and what we say instead.
var parserWords = []struct {
	of   *regexp.Regexp
	ours string
}{
	{regexp.MustCompile(`^(--\S+): (?:expected \S+ value but got "EOL"|missing value).*`), "$1 needs a value"},
	{regexp.MustCompile(`^(--\S+): expected \S+ value but got ("-.*") \(.*`), "$1 needs a value; one that begins with - is written $1=$2"},
	{regexp.MustCompile(`^(--\S+): expected duration but got (".*"): time: .*`), "$1 $2: not a duration, such as 30s, 5m or 1h30m"},
	{regexp.MustCompile(`^(--\S+): expected a valid \d+ bit int but got (".*")$`), "$1 $2: not a whole number, or too large"},
	{regexp.MustCompile(`^(--\S+): bool value must be .* but got (".*")$`), "$1 $2: not true or false"},
}

// fail prints an error, and returns its exit status.
func fail(err error) int {
	if err == nil {
		return 0
	}
	e := &cli.Error{Status: report.Invalid.ExitStatus()}
	errors.As(err, &e)
	if !e.Told {
		fmt.Fprintf(os.Stderr, "spiro-deploy: %v\n", err)
	}
	return e.Status
}
