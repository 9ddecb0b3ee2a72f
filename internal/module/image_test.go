package module_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/internal/module"
)

func TestBuildEnv(t *testing.T) {
	t.Parallel()
	for platform, want := range map[string]string{
		"":             "CGO_ENABLED=0",
		"linux/arm64":  "CGO_ENABLED=0 GOOS=linux GOARCH=arm64",
		"linux/arm/v7": "CGO_ENABLED=0 GOOS=linux GOARCH=arm GOARM=7",
		"linux/amd64":  "CGO_ENABLED=0 GOOS=linux GOARCH=amd64",
	} {
		var got []string
		for _, v := range module.BuildEnv(platform) {
			got = append(got, v.Name+"="+v.Value)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("BuildEnv(%q) = %v, want %s", platform, got, want)
		}
	}
}

// TestImage builds the command of the image, and runs it alone, as in the image.
func TestImage(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	command := filepath.Join(t.TempDir(), "spiro-deploy")
	build := module.BuildCommand(command)
	cmd := exec.Command(build[0], build[1:]...)
	cmd.Dir, cmd.Env = root, os.Environ()
	for _, v := range module.BuildEnv("") {
		cmd.Env = append(cmd.Env, v.Name+"="+v.Value)
	}
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	cmd = exec.Command(command, "--version")
	cmd.Env = []string{}
	if said, err := cmd.CombinedOutput(); err != nil || !strings.HasPrefix(string(said), "spiro-deploy ") {
		t.Errorf("--version: %v\n%s", err, said)
	}
	// Main is the same as the file in the command's folder.
	committed, err := os.ReadFile(filepath.Join(root, module.MainFile))
	if err != nil || !strings.HasSuffix(string(committed), module.Main) {
		t.Errorf("%s, %v, does not end as Main does", committed, err)
	}
	goMod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindSubmatch(goMod)
	if version == nil || module.GoImage != "golang:"+string(version[1])+"-alpine" {
		t.Errorf("the image builds with %s, and go.mod says %q", module.GoImage, version)
	}
}
