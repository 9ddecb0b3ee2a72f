package command

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

// A completed flag, as the scripts need it.
type completed struct {
	names []string // with dashes
	help  string
	value string // its placeholder; empty for a switch
}

// words returns the values that the flag can have, if they are few.
func (c completed) words() []string {
	switch {
	case c.value == "FORMAT=FILE":
		return []string{"html=", "json=", "junit=", "markdown=", "ndjson="}
	case strings.Contains(c.value, "|"):
		return strings.Split(c.value, "|")
	}
	return nil
}

func (c completed) isFile() bool { return c.value == "FILE" || c.value == "PATH" }

// flagsOf returns the flags of the command line.
func flagsOf(model *kong.Application) []completed {
	var all []completed
	for _, f := range model.Flags {
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
	return all
}

// complete writes what makes a shell complete the flags.
func complete(w io.Writer, shell string, model *kong.Application) error {
	flags := flagsOf(model)
	var err error
	switch shell {
	case "bash":
		_, err = io.WriteString(w, bash(model.Name, flags))
	case "zsh":
		_, err = io.WriteString(w, "#compdef "+model.Name+"\nautoload -U +X bashcompinit && bashcompinit\n"+bash(model.Name, flags))
	case "fish":
		_, err = io.WriteString(w, fish(model.Name, flags))
	default:
		return fmt.Errorf("--completion: there is none for %q, but for bash, zsh and fish", shell)
	}
	return err
}

func bash(name string, flags []completed) string {
	var all []string
	var cases strings.Builder
	for _, f := range flags {
		all = append(all, f.names...)
		action := ":" // no proposal
		switch {
		case f.value == "":
			continue
		case f.words() != nil:
			action = `COMPREPLY=($(compgen -W "` + strings.Join(f.words(), "\n") + `" -- "$word"))`
		case f.value == "DIR":
			action = `COMPREPLY=($(compgen -d -- "$word")); compopt -o filenames 2>/dev/null`
		case f.isFile():
			action = `COMPREPLY=($(compgen -f -- "$word")); compopt -o filenames 2>/dev/null`
		}
		fmt.Fprintf(&cases, "    %s) %s; return ;;\n", f.names[0], action)
	}
	function := "_" + strings.ReplaceAll(name, "-", "_")
	return fmt.Sprintf(`%s() {
  local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}"
  # bash makes words of their own of "=" and of what follows it.
  if [[ $word == "=" ]]; then word=""; elif [[ $before == "=" ]]; then before="${COMP_WORDS[COMP_CWORD-2]}"; fi
  local IFS=$'\n' # names may have spaces in them
  COMPREPLY=()
  case "$before" in
%s  esac
  if [[ $word == -* ]]; then COMPREPLY=($(compgen -W "%s" -- "$word")); fi
}
complete -o nospace -F %s %s
`, function, cases.String(), strings.Join(all, "\n"), function, name)
}

func fish(name string, flags []completed) string {
	var b strings.Builder
	fmt.Fprintf(&b, "complete -c %s -f\n", name)
	for _, f := range flags {
		fmt.Fprintf(&b, "complete -c %s", name)
		for _, n := range f.names {
			if long, ok := strings.CutPrefix(n, "--"); ok {
				b.WriteString(" -l " + long)
			} else {
				b.WriteString(" -s " + strings.TrimPrefix(n, "-"))
			}
		}
		switch {
		case f.words() != nil:
			b.WriteString(" -x -a '" + strings.Join(f.words(), " ") + "'")
		case f.value == "DIR":
			b.WriteString(" -x -a '(__fish_complete_directories)'")
		case f.isFile():
			b.WriteString(" -r -F")
		case f.value != "":
			b.WriteString(" -x")
		}
		b.WriteString(" -d '" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(f.help) + "'\n")
	}
	return b.String()
}
