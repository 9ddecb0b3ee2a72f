package command

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/spirostack/spirodeploy/spirodeploy/report/view"
)

// completed is a flag as the scripts need it.
type completed struct {
	names []string // with dashes
	help  string
	value string // its placeholder; empty for a switch
}

// proposals returns what bash does to complete the value of a flag, and the options of fish's
// complete for it.
func (c completed) proposals() (bash, fish string) {
	words := strings.Split(c.value, "|")
	if c.value == "FORMAT=FILE" {
		words = view.Names()
		for i := range words {
			words[i] += "="
		}
	}
	const files = `COMPREPLY=($(compgen -%s -- "$word")); compopt -o filenames 2>/dev/null`
	switch {
	case c.value == "":
		return "", ""
	case len(words) > 1:
		return `COMPREPLY=($(compgen -W "` + strings.Join(words, "\n") + `" -- "$word"))`, " -x -a '" + strings.Join(words, " ") + "'"
	case c.value == "DIR":
		return fmt.Sprintf(files, "d"), " -x -a '(__fish_complete_directories)'"
	case c.value == "FILE", c.value == "PATH":
		return fmt.Sprintf(files, "f"), " -r -F"
	}
	return ":", " -x" // no proposal
}

// flagsOf returns the flags of a command line.
func flagsOf(line commandLine) ([]completed, error) {
	parser, err := kong.New(line, formats)
	if err != nil {
		return nil, err
	}
	var all []completed
	for _, f := range parser.Model.Flags {
		c := completed{names: []string{"--" + f.Name}, help: f.Help}
		if f.Short != 0 {
			c.names = append(c.names, "-"+string(f.Short))
		}
		switch {
		case !f.IsBool():
			c.value = f.PlaceHolder
		case f.Tag.Negatable != "":
			c.names = append(c.names, "--no-"+f.Name)
		}
		all = append(all, c)
	}
	return all, nil
}

// complete writes the script that makes a shell complete flags and verbs.
func complete(w io.Writer, shell string) error {
	write, ok := map[string]func(map[string][]completed) string{"bash": bash, "fish": fish, "zsh": func(flags map[string][]completed) string {
		return "#compdef " + program + "\nwhence compdef >/dev/null || { autoload -U compinit && compinit; }\nautoload -U +X bashcompinit && bashcompinit\n" + bash(flags)
	}}[shell]
	if !ok {
		return fmt.Errorf("--completion: there is none for %q, but for bash, zsh and fish", shell)
	}
	flags := map[string][]completed{}
	for _, verb := range append([]string{""}, verbs...) {
		_, line, _ := find([]string{verb})
		var err error
		if flags[verb], err = flagsOf(line); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, write(flags))
	return err
}

// bash proposes the flags of each verb, "" being none. A flag that several have takes
// the same values in each.
func bash(flags map[string][]completed) string {
	var names, values strings.Builder
	seen := map[string]bool{}
	for _, verb := range slices.Backward(slices.Sorted(maps.Keys(flags))) { // "" comes last: it is any other word
		var all []string
		for _, f := range flags[verb] {
			all = append(all, f.names...)
			action, _ := f.proposals()
			if action == "" || seen[f.names[0]] {
				continue
			}
			seen[f.names[0]] = true
			fmt.Fprintf(&values, "    %s) %s; COMPREPLY=(\"${COMPREPLY[@]/#/$prefix}\"); return ;;\n", f.names[0], action)
		}
		fmt.Fprintf(&names, "    %s) flags=\"%s\" ;;\n", cmp.Or(verb, "*"), strings.Join(all, "\n"))
	}
	return fmt.Sprintf(`_spiro_deploy() {
  local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" prefix="" flags
  # bash makes words of their own of "=" and of what follows it, unless COMP_WORDBREAKS lacks it; zsh does not.
  if [[ $word == "=" ]]; then word=""; elif [[ $before == "=" ]]; then before="${COMP_WORDS[COMP_CWORD-2]}"
  elif [[ $word == --*=* ]]; then before="${word%%%%=*}" prefix="${word%%%%=*}=" word="${word#*=}"; fi
  local IFS=$'\n' # names may have spaces in them
  COMPREPLY=()
  case "$before" in
%s  esac
  case "${COMP_WORDS[1]}" in
%s  esac
  if [[ $word == -* ]]; then COMPREPLY=($(compgen -W "$flags" -- "$word"))
  elif [[ $COMP_CWORD == 1 ]]; then COMPREPLY=($(compgen -W "%s" -- "$word")); fi
}
complete -o nospace -F _spiro_deploy %s
`, values.String(), names.String(), strings.Join(verbs, "\n"), program)
}

func fish(flags map[string][]completed) string {
	var b strings.Builder
	all := strings.Join(verbs, " ")
	fmt.Fprintf(&b, "complete -c %s -f\ncomplete -c %[1]s -n __fish_is_first_token -a '%s'\n", program, all)
	for _, verb := range slices.Sorted(maps.Keys(flags)) {
		when := "__fish_seen_subcommand_from " + verb
		if verb == "" {
			when = "not __fish_seen_subcommand_from " + all
		}
		for _, f := range flags[verb] {
			fmt.Fprintf(&b, "complete -c %s -n '%s'", program, when)
			for _, n := range f.names {
				if long, ok := strings.CutPrefix(n, "--"); ok {
					b.WriteString(" -l " + long)
				} else {
					b.WriteString(" -s " + strings.TrimPrefix(n, "-"))
				}
			}
			_, options := f.proposals()
			b.WriteString(options)
			b.WriteString(" -d '" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(f.help) + "'\n")
		}
	}
	return b.String()
}
