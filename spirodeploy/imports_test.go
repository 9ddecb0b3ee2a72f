package spirodeploy_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/spirostack/spirodeploy/"

// allowed lists what each package of the library may import beyond the standard library. A
// package imports none that is to its right in docs/library.md.
var allowed = map[string][]string{
	"spirodeploy/bundle": {
		module + "internal/atomicfile", module + "internal/human", module + "internal/sanitize", module + "internal/errlist", module + "spirodeploy/fault", "github.com/bmatcuk/doublestar/v4", "github.com/opencontainers/go-digest",
		"github.com/rogpeppe/go-internal/diff", "golang.org/x/sys/unix", "golang.org/x/text/cases", module + "internal/ctxio", module + "internal/tempfile", "golang.org/x/text/unicode/norm",
	},
	"spirodeploy/fault":     {module + "internal/errlist"},
	"spirodeploy/token":     {module + "internal/human", module + "internal/retold", module + "internal/rawjson", module + "internal/sanitize", "gopkg.in/macaroon.v2"},
	"spirodeploy/client":    {module + "internal/human", module + "internal/sanitize", module + "internal/errlist", module + "spirodeploy/fault", module + "internal/ctxio", module + "internal/peer", module + "spirodeploy/token", module + "internal/rawjson", module + "spirodeploy/highstate"},
	"spirodeploy/highstate": {module + "internal/human", module + "internal/sanitize", module + "internal/rawjson"},
	"spirodeploy/report": {
		module + "internal/ctxio", module + "spirodeploy/fault", module + "internal/human", module + "internal/sanitize", module + "internal/jsontext", module + "internal/rawjson", module + "internal/tempfile", module + "spirodeploy/client", module + "spirodeploy/highstate",
		"github.com/opencontainers/go-digest",
	},
	"spirodeploy/report/view": {
		module + "spirodeploy/fault", module + "internal/human", module + "internal/sanitize", module + "internal/jsontext", module + "internal/rawjson", module + "spirodeploy/client", module + "spirodeploy/highstate", module + "spirodeploy/report",
		"github.com/jstemmer/go-junit-report/v2/junit",
	},
	"spirodeploy": {
		module + "internal/human", module + "internal/sanitize", module + "internal/errlist", module + "spirodeploy/fault", module + "internal/pulse", module + "internal/preflight", module + "internal/ctxio", module + "internal/listing", module + "spirodeploy/bundle", module + "spirodeploy/client", module + "spirodeploy/report", module + "spirodeploy/topfile",
		"github.com/opencontainers/go-digest",
	},
	"spirodeploy/registry": {
		module + "internal/ctxio", module + "internal/errlist", module + "internal/human", module + "internal/peer", module + "internal/sanitize", module + "internal/tempfile", module + "spirodeploy/fault", module + "spirodeploy/token",
		"github.com/opencontainers/go-digest", "github.com/opencontainers/image-spec/specs-go", "github.com/opencontainers/image-spec/specs-go/v1",
		"oras.land/oras-go/v2/errdef", "oras.land/oras-go/v2/registry", "oras.land/oras-go/v2/registry/remote",
		"oras.land/oras-go/v2/registry/remote/auth", "oras.land/oras-go/v2/registry/remote/credentials", "oras.land/oras-go/v2/registry/remote/errcode",
	},
	"spirodeploy/spirotest":        {module + "internal/certificate", module + "internal/rawjson", module + "spirodeploy/token", module + "spirodeploy/topfile", "gopkg.in/macaroon.v2"},
	"spirodeploy/topfile":          {"go.yaml.in/yaml/v4", "go.yaml.in/yaml/v4/plugin/loaderlimits"},
	"spirodeploy/cmd/spiro-deploy": {module + "internal/cli/command"},
	"internal/cli/command":         {module + "internal/cli", module + "internal/human", module + "internal/sanitize", module + "spirodeploy/fault", module + "spirodeploy/report", module + "spirodeploy/report/view", "github.com/alecthomas/kong", "github.com/opencontainers/go-digest"},
	"spirodeploy/targets":          {module + "internal/cli"},
}

func TestImports(t *testing.T) {
	t.Parallel()
	args := []string{"list", "-json=ImportPath,Imports,Deps"}
	for pkg := range allowed {
		args = append(args, module+pkg)
	}
	cmd := exec.CommandContext(t.Context(), "go", args...)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; seen++ {
		var pkg struct {
			ImportPath    string
			Imports, Deps []string
		}
		if err := dec.Decode(&pkg); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(pkg.ImportPath, module)
		for _, imported := range pkg.Imports {
			if first, _, _ := strings.Cut(imported, "/"); strings.Contains(first, ".") && !slices.Contains(allowed[name], imported) {
				t.Errorf("%s imports %s, which is not on its list", name, imported)
			}
		}
		for _, dep := range pkg.Deps {
			for _, heavy := range []string{"dagger.io/", "github.com/magefile/", "go.opentelemetry.io/", "testing"} {
				if dep == heavy || strings.HasSuffix(heavy, "/") && strings.HasPrefix(dep, heavy) {
					t.Errorf("%s depends on %s", name, dep)
				}
			}
		}
	}
	if seen != len(allowed) {
		t.Errorf("%d packages, want %d", seen, len(allowed))
	}
}

// TestOras: one package speaks to registries, and importing what makes and sends
// bundles brings in nothing for that.
func TestOras(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-test", "-tags=mage", "-json=ImportPath,Imports,Deps", module+"...").Output()
	if err != nil {
		t.Fatal(err)
	}
	isOras := func(path string) bool { return strings.HasPrefix(path, "oras.land/") }
	found := false
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var pkg struct {
			ImportPath    string
			Imports, Deps []string
		}
		if err := dec.Decode(&pkg); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(pkg.ImportPath, module), " ") // the rest is about tests
		switch direct := slices.ContainsFunc(pkg.Imports, isOras); {
		case name == "spirodeploy/registry":
			found = found || direct
		case direct:
			t.Errorf("%s imports oras-go", pkg.ImportPath)
		}
		if slices.Contains([]string{"spirodeploy/bundle", "spirodeploy/client"}, name) && slices.ContainsFunc(pkg.Deps, isOras) {
			t.Errorf("%s depends on oras-go", pkg.ImportPath)
		}
	}
	if !found {
		t.Error("not even spirodeploy/registry imports it")
	}
}
