package bundle_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
)

var update = flag.Bool("update", false, "write what the cases in testdata give into them")

// TestCases bundles the trees of testdata/*.txtar. Lines of a case's comment are
// remarks (#), options, or what the archive cannot hold:
//
//	artifact [NAME=]PATH
//	source NAME
//	exclude PATTERN
//	omit PATH
//	dir PATH
//	project PATH
//	exe PATH
//	link PATH TARGET
//
// The files LISTING, WARNINGS and PROBLEMS are what is wanted, the others are
// the tree.
func TestCases(t *testing.T) {
	t.Parallel()
	cases, err := filepath.Glob("testdata/*.txtar")
	check(t, err)
	if len(cases) == 0 {
		t.Fatal("no cases")
	}
	for _, file := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(file)
			check(t, err)
			dir, want := t.TempDir(), map[string]string{}
			var tree []txtar.File
			for _, f := range archive.Files {
				if strings.ToUpper(f.Name) == f.Name && !strings.ContainsAny(f.Name, "./_") {
					want[f.Name] = string(f.Data)
					continue
				}
				tree = append(tree, f)
				plant(t, dir, node{'f', f.Name, string(f.Data)})
			}
			got := outcome(t, directives(t, dir, string(archive.Comment)))
			if *update {
				archive.Files = tree
				for _, name := range []string{"LISTING", "WARNINGS", "PROBLEMS"} {
					if got[name] != "" {
						archive.Files = append(archive.Files, txtar.File{Name: name, Data: []byte(got[name])})
					}
				}
				check(t, os.WriteFile(file, txtar.Format(archive), 0o644))
				return
			}
			for _, name := range []string{"LISTING", "WARNINGS", "PROBLEMS"} {
				if got[name] != want[name] {
					t.Errorf("%s:\n%s\nwant:\n%s", name, got[name], want[name])
				}
			}
		})
	}
}

// directives does what the lines of a case's comment say.
func directives(t *testing.T, dir, comment string) bundle.Options {
	t.Helper()
	opts := bundle.Options{Dir: dir}
	for line := range strings.Lines(comment) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		name, target, _ := strings.Cut(rest, " ")
		switch word {
		case "", "#":
		case "artifact":
			opts.Artifacts = append(opts.Artifacts, bundle.ParseArtifact(dir, rest))
		case "source":
			var err error
			opts.Source, err = bundle.ParseSource(rest)
			check(t, err)
		case "exclude":
			opts.Exclude = append(opts.Exclude, rest)
		case "omit":
			opts.Omit = append(opts.Omit, filepath.Join(dir, rest))
		case "dir":
			plant(t, dir, node{'d', rest, ""})
		case "project":
			opts.Dir = filepath.Join(dir, rest)
		case "exe":
			check(t, os.Chmod(filepath.Join(dir, rest), 0o755))
		case "link":
			plant(t, dir, node{'l', name, target})
		default:
			t.Fatalf("no such directive: %s", line)
		}
	}
	return opts
}

func outcome(t *testing.T, opts bundle.Options) map[string]string {
	t.Helper()
	b, err := bundle.New(t.Context(), opts)
	if err != nil {
		return map[string]string{"PROBLEMS": strings.ReplaceAll(err.Error(), opts.Dir, "DIR") + "\n"}
	}
	check(t, b.Close())
	data, b := build(t, opts)
	var warnings strings.Builder
	for _, w := range b.Warnings() {
		fmt.Fprintln(&warnings, w)
	}
	return map[string]string{"LISTING": listing(t, data), "WARNINGS": warnings.String()}
}
