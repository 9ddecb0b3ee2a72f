package command

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/spirostack/spirodeploy/internal/cli"
	"github.com/spirostack/spirodeploy/internal/module/args"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
)

const root = "../../.."

// TestSpelling: each front end spells an option as one that it has.
func TestSpelling(t *testing.T) {
	t.Parallel()
	parser, err := kong.New(&flags{}, formats)
	if err != nil {
		t.Fatal(err)
	}
	command := []string{"PROJECT", "DEPLOYMENT", "init", `login"`}
	for _, f := range parser.Model.Flags {
		command = append(command, "--"+f.Name)
	}
	mage := append(parameters(t, "spirodeploy/targets/targets.go", func(name string) string { return "-" + name }), "PROJECT", "DEPLOYMENT", "spiro:init", `login"`)
	module := slices.Concat(parameters(t, "main.go", dashed), parameters(t, "registry.go", dashed), []string{"the function bundle"})
	ofCommand, ofMage := cli.Settings{}, cli.Settings{Mage: true}
	for _, front := range []struct {
		name  string
		spell fault.Speller
		has   []string
		lacks []fault.Option // that the front end does not have
	}{
		{"command", ofCommand.Spell, command, nil},
		{"mage", ofMage.Spell, mage, nil},
		{"module", args.Spell, module, []fault.Option{fault.ConnectTimeout, fault.Digest, fault.Init, fault.MaxEvent, fault.Report, fault.Strict, fault.Verbose}},
	} {
		for _, o := range fault.Options() {
			spelled := front.spell(o)
			if (spelled == "") != slices.Contains(front.lacks, o) {
				t.Errorf("%s spells %s as %q", front.name, o, spelled)
			}
			word := spelled[strings.LastIndexByte(spelled, ' ')+1:]
			if strings.HasPrefix(spelled, "the function ") {
				word = spelled
			}
			if spelled != "" && !slices.Contains(front.has, word) {
				t.Errorf("%s spells %s as %q, which it does not have", front.name, o, spelled)
			}
		}
	}
}

// parameters returns the names of the parameters of exported functions in a file,
// spelled as flags.
func parameters(t *testing.T, path string, spell func(string) string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, path), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || !f.Name.IsExported() {
			continue
		}
		for _, p := range f.Type.Params.List {
			for _, n := range p.Names {
				names = append(names, spell(n.Name))
			}
		}
	}
	return names
}

// dashed spells a parameter as dagger does: sslCert is --ssl-cert.
func dashed(name string) string {
	return "--" + strings.ToLower(regexp.MustCompile(`([a-z])([A-Z])`).ReplaceAllString(name, "$1-$2"))
}

// TestHints: hints name options that there are, and no message of the library has a
// flag in it, which is one front end's.
func TestHints(t *testing.T) {
	t.Parallel()
	hints := 0
	option, flag := regexp.MustCompile(`\{([a-z-]+)=?\}`), regexp.MustCompile(`(^|[ (])--?[a-z][a-zA-Z-]+`)
	literals(t, func(path, text string) {
		for _, m := range option.FindAllStringSubmatch(text, -1) {
			hints++
			if !slices.Contains(fault.Options(), fault.Option(m[1])) {
				t.Errorf("%s: the hint %q names no option", path, text)
			}
		}
		for _, of := range []string{"git describe --all", "tar --format=ustar", "tar without --sparse (bsdtar: with --no-read-sparse"} {
			text = strings.ReplaceAll(text, of, "") // flags of other programs
		}
		ours := !strings.HasPrefix(path, "spirodeploy/targets/") && strings.HasPrefix(path, "spirodeploy/")
		if found := flag.FindString(text); ours && strings.Contains(text, " ") && found != "" {
			t.Errorf("%s: %q names the flag %s: make it a hint", path, text, found)
		}
	})
	if hints < 10 {
		t.Errorf("only %d hints were found", hints)
	}
}

// literals calls look for each text in the code of the product.
func literals(t *testing.T, look func(path, text string)) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(root), ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != "." && path != "spirodeploy" && path != "internal" && !strings.HasPrefix(path, "spirodeploy/") && !strings.HasPrefix(path, "internal/"),
			path == "internal/dagger", path == "internal/dev":
			return fs.SkipDir
		case d.IsDir(), !strings.HasSuffix(path, ".go"), strings.HasSuffix(path, "_test.go"), strings.HasSuffix(path, ".gen.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, path), nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Field: // the tags of structs
				return n.Tag == nil
			case *ast.BasicLit:
				if text, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING {
					look(path, text)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
