package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spirostack/spirodeploy/internal/ctxio"
	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
)

// opener opens a bundle at its beginning. A comparison reads it more than once.
type opener func() (io.ReadCloser, error)

// diff prints how the bundle of the settings, given or made, differs from the bundle
// s.Diff.
func (w World) diff(ctx context.Context, s Settings, opts bundle.Options) error {
	for _, name := range []*string{&s.Diff, &s.Bundle} {
		if !inRegistry(*name) {
			continue
		}
		file, err := w.pull(ctx, s, *name, func(int64, int64) {})
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }() // it is a temporary file
		*name = file.Path()
	}
	before := func() (io.ReadCloser, error) { return openFile(s.Diff) }
	after := func() (io.ReadCloser, error) { return openFile(s.Bundle) }
	if s.Bundle == "" {
		b, err := bundle.New(ctx, opts)
		if err != nil {
			return err
		}
		defer b.Close()
		for _, warning := range b.Warnings() {
			if !s.Quiet || !warning.Minor {
				fmt.Fprintln(w.Stderr, w.log(w.rawStderr).Harmless("warning: "+warning.String()))
			}
		}
		after = b.Open
	}
	var changes []bundle.Change
	err := both(ctx, before, after, func(from, to io.Reader) (err error) {
		changes, err = bundle.Diff(from, to)
		return err
	})
	var patches map[string]string
	if err == nil {
		err = both(ctx, before, after, func(from, to io.Reader) (err error) {
			patches, err = bundle.Patches(changes, from, to)
			return err
		})
	}
	if err != nil {
		return err
	}
	w.writeChanges(changes, patches, w.colors(s.Color, w.bytes))
	fmt.Fprintln(w.Stderr, summary(changes))
	return w.printed()
}

// openFile opens a file that can be read again.
func openFile(path string) (io.ReadCloser, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: is not a regular file, and is read twice: write it to one", path)
	}
	return os.Open(path)
}

// both calls do with both bundles opened.
func both(ctx context.Context, before, after opener, do func(from, to io.Reader) error) error {
	from, err := before()
	if err != nil {
		return fmt.Errorf("old bundle: %w", err)
	}
	defer from.Close()
	to, err := after()
	if err != nil {
		return fmt.Errorf("new bundle: %w", err)
	}
	defer to.Close()
	return do(ctxio.Reader(ctx, from), ctxio.Reader(ctx, to))
}

// marks are the colours of lines, by their first character.
var marks = map[byte]string{'+': "32", '-': "31", '~': "36", '@': "36"}

func (w World) writeChanges(changes []bundle.Change, patches map[string]string, color bool) {
	log := w.log(w.bytes)
	show := func(pad, line string) {
		line = log.Harmless(sanitize.Line(strings.ReplaceAll(line, "\t", "    ")))
		if sgr := marks[(line + " ")[0]]; sgr != "" && color {
			line = "\x1b[" + sgr + "m" + line + "\x1b[0m"
		}
		fmt.Fprintln(w.Stdout, pad+line)
	}
	for _, c := range changes {
		show("", c.String())
		for line := range strings.SplitSeq(strings.TrimSuffix(patches[c.Name], "\n"), "\n") {
			if patches[c.Name] != "" {
				show("    ", line)
			}
		}
	}
}

// summary counts changes: "3 differences: 1 added, 2 changed".
func summary(changes []bundle.Change) string {
	counts := map[bundle.Kind]int{}
	for _, c := range changes {
		counts[c.Kind]++
	}
	var parts []string
	for _, kind := range []bundle.Kind{bundle.Added, bundle.Removed, bundle.Changed} {
		if n := counts[kind]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, kind))
		}
	}
	text := human.Count(len(changes), "difference", "differences")
	if len(parts) > 0 {
		text += ": " + strings.Join(parts, ", ")
	}
	return text
}
