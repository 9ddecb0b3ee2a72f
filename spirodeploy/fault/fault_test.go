package fault_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/spirostack/spirodeploy/internal/errlist"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
)

func flags(o fault.Option) string {
	if o == fault.Verbose {
		return "" // this front end does not have it
	}
	return "--" + string(o)
}

func TestLayout(t *testing.T) {
	t.Parallel()
	refused := &fault.Error{Err: errors.New("nothing listens on 127.0.0.1:1"), Help: "name another one with {server}"}
	check := &fault.Error{What: "check token", Err: refused, Outcome: "nothing was deployed"}
	for _, test := range []struct {
		name               string
		err                error
		text, line, indent string
	}{
		{"plain", io.ErrUnexpectedEOF, "unexpected EOF", "unexpected EOF", "unexpected EOF"},
		{
			"help of a wrapped error", check,
			"check token: nothing listens on 127.0.0.1:1: name another one with client.Options.Server; nothing was deployed",
			"check token: nothing listens on 127.0.0.1:1: name another one with --server; nothing was deployed",
			"check token: nothing listens on 127.0.0.1:1\n  nothing was deployed\n  name another one with --server",
		},
		{
			"more words", fmt.Errorf("shop/prod: %w", check),
			"shop/prod: check token: nothing listens on 127.0.0.1:1: name another one with client.Options.Server; nothing was deployed",
			"shop/prod: check token: nothing listens on 127.0.0.1:1: name another one with --server; nothing was deployed",
			"shop/prod: check token: nothing listens on 127.0.0.1:1\n  nothing was deployed\n  name another one with --server",
		},
		{
			"a list", errlist.Join(io.EOF, refused),
			"2 problems:\n  - EOF\n  - nothing listens on 127.0.0.1:1: name another one with client.Options.Server",
			"2 problems:\n  - EOF\n  - nothing listens on 127.0.0.1:1: name another one with --server",
			"2 problems:\n  - EOF\n  - nothing listens on 127.0.0.1:1\n      name another one with --server",
		},
		{
			"a list in parts", &fault.Error{What: "check", Err: errlist.Join(io.EOF, refused), Outcome: "nothing was sent"},
			"check: 2 problems:\n  - EOF\n  - nothing listens on 127.0.0.1:1: name another one with client.Options.Server; nothing was sent",
			"check: 2 problems:\n  - EOF\n  - nothing listens on 127.0.0.1:1: name another one with --server; nothing was sent",
			"check: 2 problems:\n  - EOF\n  - nothing listens on 127.0.0.1:1\n      name another one with --server\n  nothing was sent",
		},
		{
			"the same outcome twice", &fault.Error{What: "deploy", Err: check, Outcome: "nothing was deployed"},
			"deploy: check token: nothing listens on 127.0.0.1:1: name another one with client.Options.Server; nothing was deployed; nothing was deployed",
			"deploy: check token: nothing listens on 127.0.0.1:1: name another one with --server; nothing was deployed",
			"deploy: check token: nothing listens on 127.0.0.1:1\n  nothing was deployed\n  name another one with --server",
		},
		{
			"several in one text", fmt.Errorf("%w, and %w", refused, io.EOF),
			"nothing listens on 127.0.0.1:1: name another one with client.Options.Server, and EOF",
			"nothing listens on 127.0.0.1:1: name another one with --server, and EOF",
			"nothing listens on 127.0.0.1:1\n  name another one with --server, and EOF",
		},
		{
			"an option that the front end lacks", &fault.Error{Err: io.EOF, Help: "see {verbose}"},
			"EOF: see view.TextOptions.Detail", "EOF", "EOF",
		},
	} {
		if got := test.err.Error(); got != test.text {
			t.Errorf("%s: Error is\n%s\nwant\n%s", test.name, got, test.text)
		}
		if got := fault.Line(test.err, flags); got != test.line {
			t.Errorf("%s: Line is\n%s\nwant\n%s", test.name, got, test.line)
		}
		if got := fault.Lines(test.err, flags); got != test.indent {
			t.Errorf("%s: Lines is\n%s\nwant\n%s", test.name, got, test.indent)
		}
	}
}

func TestHint(t *testing.T) {
	t.Parallel()
	hint := "give {dir} " + fault.Hint(fault.Literal("{exclude} {{x} %s {dir}")) + ", or {ssl-cert}"
	if got, want := hint.Spell(flags), "give --dir {exclude} {{x} %s {dir}, or --ssl-cert"; got != want {
		t.Errorf("Spell returns %q, want %q", got, want)
	}
	withValue := fault.Hint("say {exclude=}" + fault.Literal("a{b}") + " or {dir=}x")
	for want, spell := range map[string]fault.Speller{
		"say --exclude a{b} or --dir x":                           flags,
		"say -exclude=a{b} or -dir=x":                             func(o fault.Option) string { return "-" + string(o) },
		"say bundle.Options.Exclude a{b} or bundle.Options.Dir x": nil,
	} {
		if got := withValue.Spell(spell); got != want {
			t.Errorf("Spell returns %q, want %q", got, want)
		}
	}
	for _, o := range fault.Options() {
		if o != fault.Init && fault.Hint("{"+o+"}").String() == "" {
			t.Errorf("%s has no name in Go", o)
		}
	}
}
