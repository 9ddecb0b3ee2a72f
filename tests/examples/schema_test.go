package examples_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
)

// This file makes the schema that an engine gives to a module that depends on
// spirodeploy: the types of GraphQL for its exported types and methods. (It leaves out
// the fields of Env and Binding, which are for language models.)

// object is a JSON object.
type object = map[string]any

// dependency returns the types of the module at the root, and the field of the
// query that is its constructor.
func dependency(t *testing.T) (types []object, constructor object) {
	t.Helper()
	methods, enums := map[string][]object{}, map[string][]object{}
	for _, name := range []string{"main.go", "report.go", "image.go", "registry.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, name), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		comments := file.Comments
		for _, decl := range file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				switch {
				case d.Recv == nil && d.Name.Name == "New":
					constructor = function("spirodeploy", d, comments)
				case d.Recv != nil && d.Name.IsExported():
					of := graphName(named(d.Recv.List[0].Type))
					methods[of] = append(methods[of], function(lower(d.Name.Name), d, comments))
				}
			case *ast.GenDecl:
				for of, fields := range fieldsOf(d) {
					methods[of] = append(methods[of], fields...)
				}
				for of, values := range valuesOf(d) {
					enums[of] = append(enums[of], values...)
				}
			}
		}
	}
	for name, values := range enums {
		types = append(types, object{
			"kind": "ENUM", "name": name, "description": "", "enumValues": values, "directives": []any{}, "possibleTypes": []any{}, "interfaces": []any{},
		})
	}
	for name, fields := range methods {
		fields = append(fields, field("id", required(object{"kind": "SCALAR", "name": "ID"}), nil))
		types = append(types, object{
			"kind": "OBJECT", "name": name, "description": "", "fields": fields, "directives": []any{}, "possibleTypes": []any{},
			"interfaces": []object{{"kind": "INTERFACE", "name": "Node"}},
		})
	}
	return types, constructor
}

// fieldsOf returns the public fields of the structs that are declared.
func fieldsOf(d *ast.GenDecl) map[string][]object {
	fields := map[string][]object{}
	for _, spec := range d.Specs {
		declared, ok := spec.(*ast.TypeSpec)
		if !ok {
			continue
		}
		body, ok := declared.Type.(*ast.StructType)
		if !ok {
			continue
		}
		for _, f := range body.Fields.List {
			if strings.Contains(f.Doc.Text(), "+private") {
				continue
			}
			name := graphName(declared.Name.Name)
			fields[name] = append(fields[name], field(lower(f.Names[0].Name), required(output(f.Type)), nil))
		}
	}
	return fields
}

// valuesOf returns the members of the enums that are declared: constants of a type of its
// own. The engine has their names in capitals.
func valuesOf(d *ast.GenDecl) map[string][]object {
	values := map[string][]object{}
	for _, spec := range d.Specs {
		declared, ok := spec.(*ast.ValueSpec)
		if !ok || declared.Type == nil {
			continue
		}
		of := named(declared.Type)
		values[graphName(of)] = append(values[graphName(of)], object{
			"name": strings.ToUpper(strings.TrimPrefix(declared.Names[0].Name, of)), "description": "", "isDeprecated": false, "deprecationReason": nil,
			"directives": []object{{"name": "enumValue", "args": []object{{"name": "value", "value": declared.Values[0].(*ast.BasicLit).Value}}}},
		})
	}
	return values
}

// function returns the field that a method becomes.
func function(name string, d *ast.FuncDecl, comments []*ast.CommentGroup) object {
	var args []object
	for i, p := range d.Type.Params.List {
		if selector, ok := p.Type.(*ast.SelectorExpr); ok && selector.Sel.Name == "Context" {
			continue
		}
		before := d.Type.Params.Opening
		if i > 0 {
			before = d.Type.Params.List[i-1].End()
		}
		args = append(args, argument(p, doc(comments, before, p.Pos())))
	}
	result := output(d.Type.Results.List[0].Type)
	if result["name"] != "Void" { // which is null
		result = required(result)
	}
	return field(name, result, args)
}

// doc returns the comment between two places, since the parser attaches no comments to
// parameters.
func doc(comments []*ast.CommentGroup, from, to token.Pos) string {
	for _, c := range comments {
		if c.Pos() > from && c.End() < to {
			return c.Text()
		}
	}
	return ""
}

func argument(p *ast.Field, doc string) object {
	typ, directives := output(p.Type), []object{}
	if typ["kind"] == "OBJECT" { // an object is given by its id
		directives = append(directives, object{"name": "expectedType", "args": []object{
			{"name": "name", "value": fmt.Sprintf("%q", typ["name"])},
		}})
		typ = object{"kind": "SCALAR", "name": "ID"}
	}
	var value any
	if _, after, ok := strings.Cut(doc, "+default="); ok {
		value = strings.TrimSpace(after)
		if typ["kind"] == "ENUM" {
			value = strings.ToUpper(strings.Trim(strings.TrimSpace(after), `"`))
		}
	}
	// If the argument is left out, the engine gives the caller's workspace.
	if value == nil && !strings.Contains(doc, "+optional") && named(p.Type) != "dagger.Workspace" {
		typ = required(typ)
	}
	return object{
		"name": p.Names[0].Name, "description": "", "type": typ, "defaultValue": value,
		"directives": directives, "isDeprecated": false, "deprecationReason": nil,
	}
}

func field(name string, typ object, args []object) object {
	if args == nil {
		args = []object{}
	}
	return object{
		"name": name, "description": "", "type": typ, "args": args,
		"directives": []any{}, "isDeprecated": false, "deprecationReason": nil,
	}
}

func required(typ object) object { return object{"kind": "NON_NULL", "ofType": typ} }

// output returns the type of GraphQL for a type of Go.
func output(e ast.Expr) object {
	if list, ok := e.(*ast.ArrayType); ok {
		return object{"kind": "LIST", "ofType": required(output(list.Elt))}
	}
	switch name := named(e); name {
	case "string":
		return object{"kind": "SCALAR", "name": "String"}
	case "bool":
		return object{"kind": "SCALAR", "name": "Boolean"}
	case "int":
		return object{"kind": "SCALAR", "name": "Int"}
	case "error":
		return object{"kind": "SCALAR", "name": "Void"}
	case "dagger.Platform":
		return object{"kind": "SCALAR", "name": "Platform"}
	case "Format", "Missing":
		return object{"kind": "ENUM", "name": graphName(name)}
	default:
		return object{"kind": "OBJECT", "name": graphName(name)}
	}
}

// named returns the name of a type: Report of *Report, dagger.File of *dagger.File.
func named(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return named(e.X)
	case *ast.SelectorExpr:
		return "dagger." + e.Sel.Name
	case *ast.Ident:
		return e.Name
	}
	return fmt.Sprintf("%T", e)
}

// graphName returns the name of a type in modules that depend on this one.
func graphName(name string) string {
	if core, ok := strings.CutPrefix(name, "dagger."); ok || name == "Spirodeploy" {
		return core
	}
	return "Spirodeploy" + name
}

func lower(name string) string {
	r := []rune(name)
	r[0] = unicode.ToLower(r[0])
	return string(r)
}
