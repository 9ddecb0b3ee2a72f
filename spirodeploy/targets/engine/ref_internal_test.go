package engine

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
)

func TestModuleRef(t *testing.T) {
	t.Parallel()
	elsewhere, repository := t.TempDir(), t.TempDir()
	for name, content := range map[string]string{
		"dagger.json": "{}", "go.mod": "// A module.\nmodule " + modulePath + "\n\ngo 1.26\n",
	} {
		if err := os.WriteFile(filepath.Join(repository, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	built := func(dep debug.Module) *debug.BuildInfo {
		dep.Path = modulePath
		return &debug.BuildInfo{Deps: []*debug.Module{{Path: "example.org/x", Version: "v1.0.0"}, &dep}}
	}
	relative, err := filepath.Rel(elsewhere, repository)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		flag, dir string
		info      *debug.BuildInfo
		want      string // a ref, or a part of the error
	}{
		"flag":         {"./m", repository, nil, "./m"},
		"repository":   {"", repository, built(debug.Module{Version: "v1.0.0"}), repository},
		"release":      {"", elsewhere, built(debug.Module{Version: "v1.2.3"}), modulePath + "@v1.2.3"},
		"prerelease":   {"", elsewhere, built(debug.Module{Version: "v1.2.3-rc.1"}), modulePath + "@v1.2.3-rc.1"},
		"pseudo":       {"", elsewhere, built(debug.Module{Version: "v0.0.0-20260102030405-0123456789ab"}), "commit 0123456789ab"},
		"devel":        {"", elsewhere, built(debug.Module{Version: "(devel)"}), `"(devel)", which is not a release`},
		"dirty":        {"", elsewhere, built(debug.Module{Version: "v1.2.3+dirty"}), "not a release"},
		"fork":         {"", elsewhere, built(debug.Module{Version: "v1.0.0", Replace: &debug.Module{Path: "example.org/fork", Version: "v1.0.1"}}), "example.org/fork@v1.0.1"},
		"local":        {"", elsewhere, built(debug.Module{Replace: &debug.Module{Path: repository}}), repository},
		"relative":     {"", elsewhere, built(debug.Module{Replace: &debug.Module{Path: relative}}), repository},
		"local, empty": {"", elsewhere, built(debug.Module{Replace: &debug.Module{Path: elsewhere}}), "holds no Dagger module"},
		"not built in": {"", elsewhere, &debug.BuildInfo{}, "not built with it"},
		"no info":      {"", elsewhere, nil, "-module=" + modulePath},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := moduleRef(test.flag, test.dir, test.info)
			if err != nil {
				if !strings.Contains(err.Error(), test.want) {
					t.Errorf("error %v, want %q", err, test.want)
				}
				return
			}
			if got != test.want {
				t.Errorf("moduleRef = %s, want %s", got, test.want)
			}
		})
	}
}
