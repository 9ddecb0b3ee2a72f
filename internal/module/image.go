package module

import "strings"

// GoImage is an image with Go, in the version of go.mod, and the certificates of public CAs.
const GoImage = "golang:1.26-alpine"

// Var is an environment variable.
type Var struct{ Name, Value string }

// BuildEnv returns the environment of a build for a platform, OS/ARCH or OS/ARCH/VARIANT as
// OCI names it. An empty platform means that of the machine.
func BuildEnv(platform string) []Var {
	env := []Var{{"CGO_ENABLED", "0"}}
	parts := strings.Split(platform, "/")
	if len(parts) < 2 {
		return env
	}
	env = append(env, Var{"GOOS", parts[0]}, Var{"GOARCH", parts[1]})
	if parts[1] == "arm" && len(parts) == 3 {
		env = append(env, Var{"GOARM", strings.TrimPrefix(parts[2], "v")})
	}
	return env
}

// MainFile and Main are the file with the command's main function. The engine does not get
// the folder of that file, because its edits must not rebuild the module.
const (
	MainFile = "spirodeploy/cmd/spiro-deploy/main.go"
	Main     = `package main

import "github.com/spirostack/spirodeploy/internal/cli/command"

func main() { command.Main() }
`
)

// BuildCommand returns the command that builds spiro-deploy like a release, from the
// module's source with Main added.
func BuildCommand(output string) []string {
	return []string{
		"go", "build", "-trimpath", "-buildvcs=false", "-mod=readonly", "-ldflags=-s -w", "-o", output, "./spirodeploy/cmd/spiro-deploy",
	}
}
