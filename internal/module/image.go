package module

import "strings"

// GoImage has Go, and the certificates of public CAs. Its version is that of go.mod.
const GoImage = "golang:1.26-alpine"

// Var is an environment variable.
type Var struct{ Name, Value string }

// BuildEnv returns what the environment of a build for a platform (OS/ARCH or
// OS/ARCH/VARIANT, as OCI names them) says; an empty one is that of the machine.
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

// MainFile and Main are the command's main function: an edit of its folder must not
// rebuild the module, so that an engine does not get the folder.
const (
	MainFile = "spirodeploy/cmd/spiro-deploy/main.go"
	Main     = `package main

import "github.com/spirostack/spirodeploy/internal/cli/command"

func main() { command.Main() }
`
)

// BuildCommand returns the command that builds spiro-deploy in the module's source,
// with Main in it, as a release is built.
func BuildCommand(output string) []string {
	return []string{
		"go", "build", "-trimpath", "-buildvcs=false", "-mod=readonly", "-ldflags=-s -w", "-o", output, "./spirodeploy/cmd/spiro-deploy",
	}
}
