package examples_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/tests/program"
)

// TestPipeline compiles the module with the code that Dagger's generator makes for it.
// The schema does not come from an engine: it is the one of internal/dev/codegen,
// extended here by the module at the root.
func TestPipeline(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("building the code generator takes long")
	}
	dir := example(t, "pipeline")
	generator := program.Build(t, filepath.Join(root, "internal", "dev", "codegen"), "github.com/dagger/dagger/cmd/codegen")
	content, err := os.ReadFile(filepath.Join(dir, "dagger.json"))
	if err != nil {
		t.Fatal(err)
	}
	var config struct{ Name, EngineVersion string }
	if err := json.Unmarshal(content, &config); err != nil {
		t.Fatal(err)
	}
	pin(t, dir)
	must(t, dir, nil, generator, "generate-module", "--output", dir, "--module-source-path", dir,
		"--module-name", config.Name, "--introspection-json-path", schema(t), "--lib-version", config.EngineVersion)
	must(t, dir, nil, "go", "vet", "-mod=mod", ".")

	made, err := os.ReadFile(filepath.Join(dir, "dagger.gen.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, function := range []string{"Build", "Bundle", "Rehearse", "Release"} {
		if !strings.Contains(string(made), "(*Pipeline)."+function+"(") {
			t.Errorf("the module has no function %s", function)
		}
	}
}

// pin gives a module the versions of the module at the root. Otherwise the generator asks
// for the newest.
func pin(t *testing.T, dir string) {
	t.Helper()
	for _, name := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	must(t, dir, nil, "go", "mod", "edit", "-module=dagger/pipeline", "-droptool=github.com/magefile/mage")
}

// schema writes the schema that an engine gives to a module that depends on spirodeploy,
// and returns the name of the file.
func schema(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "internal", "dev", "codegen", "schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all object
	if err := json.Unmarshal(content, &all); err != nil {
		t.Fatal(err)
	}
	inner := all["__schema"].(object)
	types := inner["types"].([]any)
	added, constructor := dependency(t)
	for _, typ := range types {
		if q := typ.(object); q["name"] == "Query" {
			q["fields"] = append(q["fields"].([]any), constructor)
		}
	}
	for _, typ := range added {
		types = append(types, typ)
	}
	inner["types"] = types
	if content, err = json.Marshal(all); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "schema.json")
	if err := os.WriteFile(file, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestPipelineServer: the program that the pipeline starts in place of SpiroFS compiles,
// and prints nothing but a token, since the pipeline reads that.
func TestPipelineServer(t *testing.T) {
	t.Parallel()
	out := must(t, filepath.Join(root, "examples", "pipeline", "server"), nil, "go", "run", ".", "token")
	if strings.Count(out, "\n") != 1 || len(out) < 20 {
		t.Errorf("it prints %q", out)
	}
}
