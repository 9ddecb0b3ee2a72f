package examples_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestCISchemas holds the CI files against the schemas of the services, which
// come with a package of PyPI.
func TestCISchemas(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("pip installs what checks the schemas")
	}
	python := checker(t)
	dir := filepath.Join(root, "examples", "ci")
	for name, args := range map[string][]string{
		"github*.yml": {"--builtin-schema", "vendor.github-workflows"},
		"gitlab*.yml": {"--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"},
	} {
		files, err := filepath.Glob(filepath.Join(dir, name))
		if err != nil || len(files) != 2 {
			t.Fatalf("%s: %v, %v", name, files, err)
		}
		args = append([]string{"-m", "check_jsonschema", "--no-cache"}, args...)
		must(t, dir, nil, python, append(args, files...)...)

		// The schemas are there, and refuse what is wrong.
		bad := filepath.Join(t.TempDir(), "bad.yml")
		if err := os.WriteFile(bad, []byte("jobs: 1\ndeploy: {script: {}}\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if r := run(t, dir, nil, python, append(args, bad)...); r.status == 0 {
			t.Errorf("%v takes anything", args)
		}
	}
}

// checker installs what checks, and returns the Python that has it.
func checker(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	python := filepath.Join(dir, "bin", "python")
	if said, err := exec.CommandContext(t.Context(), "python3", "-m", "venv", dir).CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("python3 -m venv: %v\n%s", err, said)
		}
		t.Skipf("no Python with the module venv: %v", err)
	}
	must(t, dir, nil, python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps", "--only-binary=:all:",
		"-r", filepath.Join(root, "tests", "examples", "testdata", "requirements.txt"))
	return python
}
