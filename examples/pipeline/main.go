// Builds the shop, deploys it to a SpiroFS server that is started in the same pipeline, and looks at the report.
//
// After "dagger develop": dagger call rehearse. In a copy, dagger.json names
// github.com/spirostack/spirodeploy in place of ../.. ("dagger install" does
// that), and the paths below are those of your repository.
package main

import (
	"context"
	"strings"

	"dagger/pipeline/internal/dagger"
)

const (
	image     = "golang:1.26-alpine"
	shopDir   = "examples/shop"            // the project, with its _salt
	serverDir = "examples/pipeline/server" // the program that stands in for SpiroFS
)

// Pipeline builds, bundles and deploys.
type Pipeline struct {
	// +private
	Source *dagger.Directory
}

// Starts from a repository.
func New(
	// The repository.
	// +defaultPath="/"
	// +ignore=[".git", "**/*.tar"]
	source *dagger.Directory,
) *Pipeline {
	return &Pipeline{Source: source}
}

// Build builds the shop's program.
func (m *Pipeline) Build() *dagger.File {
	return m.golang().
		WithExec([]string{"go", "build", "-trimpath", "-o", "/out/shop", "./" + shopDir}).
		File("/out/shop")
}

// Bundle makes the bundle, with the program as the states expect it: salt://_artifacts/build/shop.
func (m *Pipeline) Bundle() *dagger.File {
	return dag.Spirodeploy().WithArtifact("build/shop", m.Build()).Bundle(m.Source.Directory(shopDir))
}

// Rehearse deploys to a server that is started for it, and returns the summary; it fails with it where a minion does.
//
// +cache="never"
func (m *Pipeline) Rehearse(ctx context.Context) (string, error) {
	standIn := m.standIn()
	secret, err := standIn.WithExec([]string{"/server", "token"}).Stdout(ctx)
	if err != nil {
		return "", err
	}
	report := dag.Spirodeploy(dagger.SpirodeployOpts{
		Server: "http://salt:4510/", Insecure: true, // plain HTTP, which never leaves the engine
		Service: standIn.WithExposedPort(4510).AsService(dagger.ContainerAsServiceOpts{Args: []string{"/server", "serve"}}),
	}).DeployReport(m.Bundle(), "shop", "prod", dag.SetSecret("rehearsal", strings.TrimSpace(secret)))
	return report.Assert(ctx)
}

// Release deploys to a real server, and returns the report in every format: its exitStatus is in report.json.
//
// +cache="never"
func (m *Pipeline) Release(
	// URL of the SpiroFS server.
	server string,
	// A token of it for the project.
	token *dagger.Secret,
) *dagger.Directory {
	return dag.Spirodeploy(dagger.SpirodeployOpts{Server: server}).
		DeployReport(m.Bundle(), "shop", "prod", token).
		Files()
}

// standIn returns a container with the program that stands in for SpiroFS.
func (m *Pipeline) standIn() *dagger.Container {
	built := m.golang().
		WithWorkdir("/src/" + serverDir).
		WithExec([]string{"go", "build", "-o", "/out/server", "."}).
		File("/out/server")
	return dag.Container().From("alpine:3.22").WithFile("/server", built)
}

// golang returns a container with Go and the repository; what has been compiled and downloaded is kept.
func (m *Pipeline) golang() *dagger.Container {
	return dag.Container().From(image).
		WithEnvVariable("CGO_ENABLED", "0").
		WithMountedCache("/go/pkg/mod", dag.CacheVolume("go-mod")).
		WithMountedCache("/root/.cache/go-build", dag.CacheVolume("go-build")).
		WithMountedDirectory("/src", m.Source).
		WithWorkdir("/src")
}
