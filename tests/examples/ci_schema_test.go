package examples_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestCISchemas checks the CI files, the action and the component with the schemas of the
// services, which a package of PyPI has.
func TestCISchemas(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("pip installs the program that checks")
	}
	python := checker(t)
	dir := filepath.Join(root, "examples", "ci")
	// The schema fits only the part of the component after its inputs.
	_, body, _ := strings.Cut(text(t, filepath.Join(root, "templates", "deploy.yml")), "\n---\n")
	job := filepath.Join(t.TempDir(), "deploy.yml")
	write(t, job, []byte(body))
	for _, tt := range []struct {
		files string
		count int
		args  []string
	}{
		{filepath.Join(dir, "github*.yml"), 5, []string{"--builtin-schema", "vendor.github-workflows"}},
		{filepath.Join(dir, "gitlab*.yml"), 4, []string{"--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"}},
		{filepath.Join(root, "action.yml"), 1, []string{"--builtin-schema", "vendor.github-actions"}},
		{job, 1, []string{"--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"}},
	} {
		files, err := filepath.Glob(tt.files)
		if err != nil || len(files) != tt.count {
			t.Fatalf("%s: %v, %v", tt.files, files, err)
		}
		args := append([]string{"-m", "check_jsonschema", "--no-cache"}, tt.args...)
		must(t, dir, nil, python, append(args, files...)...)

		// The schemas are found, and refuse a mistake.
		bad := filepath.Join(t.TempDir(), "bad.yml")
		write(t, bad, []byte("jobs: 1\ndeploy: {script: {}}\n"))
		if r := run(t, dir, nil, python, append(args, bad)...); r.status == 0 {
			t.Errorf("%v takes anything", args)
		}
	}
}

// checker installs the program that checks, and returns the Python that runs it.
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
