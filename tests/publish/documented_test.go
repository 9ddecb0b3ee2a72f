package publish_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// noExample are the packages whose main use cannot be shown in a test, each with
// its reason.
var noExample = map[string]string{
	"spirodeploy/targets/engine":   "it needs a Dagger engine",
	"spirodeploy/cmd/spiro-deploy": "it is a command: docs/command.md",
}

// TestDocumented: pkg.go.dev has what people look for there: a comment for each package
// and each name, and an example that runs.
func TestDocumented(t *testing.T) {
	t.Parallel()
	top, err := root()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	err = filepath.WalkDir(filepath.Join(top, "spirodeploy"), func(dir string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if d.Name() == "testdata" {
			return filepath.SkipDir
		}
		rel, err := filepath.Rel(top, dir)
		if err != nil {
			return err
		}
		if pkg := read(t, dir, path+"/"+filepath.ToSlash(rel)); pkg != nil {
			seen++
			checkPackage(t, filepath.ToSlash(rel), pkg)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 9 {
		t.Errorf("only %d packages were looked at", seen)
	}
}

// read returns the documentation of the package in a directory, or nil.
func read(t *testing.T, dir, importPath string) *doc.Package {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	var files []*ast.File
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") {
			continue
		}
		f, err := parser.ParseFile(set, filepath.Join(dir, e.Name()), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	if len(files) == 0 {
		return nil
	}
	pkg, err := doc.NewFromFiles(set, files, importPath)
	if err != nil {
		t.Fatal(err)
	}
	return pkg
}

func checkPackage(t *testing.T, name string, pkg *doc.Package) {
	t.Helper()
	said := func(what, doc string) {
		if strings.TrimSpace(doc) == "" {
			t.Errorf("%s: %s has no comment", name, what)
		}
	}
	said("the package", pkg.Doc)
	checkValues(said, append(pkg.Consts, pkg.Vars...))
	checkFuncs(said, "", pkg.Funcs)
	examples := pkg.Examples
	for _, typ := range pkg.Types {
		said(typ.Name, typ.Doc)
		checkValues(said, append(typ.Consts, typ.Vars...))
		checkFuncs(said, "", typ.Funcs)
		checkFuncs(said, typ.Name+".", typ.Methods)
		examples = append(examples, typ.Examples...)
		for _, f := range slices.Concat(typ.Funcs, typ.Methods) {
			examples = append(examples, f.Examples...)
		}
	}
	for _, f := range pkg.Funcs {
		examples = append(examples, f.Examples...)
	}
	runs := slices.ContainsFunc(examples, func(e *doc.Example) bool { return e.Output != "" })
	if why := noExample[name]; runs == (why != "") {
		t.Errorf("%s has an example that runs: %v (reason for none: %q)", name, runs, why)
	}
}

// checkValues demands a comment for each value, or for a whole group.
func checkValues(said func(what, doc string), values []*doc.Value) {
	for _, v := range values {
		for _, spec := range v.Decl.Specs {
			s, ok := spec.(*ast.ValueSpec)
			if ok && ast.IsExported(s.Names[0].Name) {
				said(s.Names[0].Name, v.Doc+s.Doc.Text()+s.Comment.Text())
			}
		}
	}
}

// obvious are methods whose comment would only repeat that of their interface.
var obvious = []string{"Error", "Unwrap", "String", "Close", "Read", "Write", "MarshalJSON", "UnmarshalJSON", "Format", "GoString", "LogValue", "MarshalText"}

func checkFuncs(said func(what, doc string), of string, funcs []*doc.Func) {
	for _, f := range funcs {
		if of == "" || !slices.Contains(obvious, f.Name) {
			said(of+f.Name, f.Doc)
		}
	}
}
