package main

import (
	"github.com/spirostack/spirodeploy/internal/dagger"
	"github.com/spirostack/spirodeploy/internal/module"
)

// Image returns a container to publish or to use as a step. It holds only the command spiro-deploy, built from the module's own source, and the certificates of public CAs. It has no git, so bundles that it makes have no .gitcommit.
func (m *Spirodeploy) Image(
	// The platform, such as linux/arm64; by default the engine's.
	// +optional
	platform dagger.Platform,
) *dagger.Container {
	const certificates = "/etc/ssl/certs/ca-certificates.crt"
	image := dag.Container(dagger.ContainerOpts{Platform: platform})
	builder := dag.Container().From(module.GoImage).
		WithMountedCache("/go/pkg/mod", dag.CacheVolume("spirodeploy-go-mod")).
		WithMountedCache("/root/.cache/go-build", dag.CacheVolume("spirodeploy-go-build")).
		WithMountedDirectory("/src", dag.CurrentModule().Source().WithNewFile(module.MainFile, module.Main)).
		WithWorkdir("/src")
	for _, v := range module.BuildEnv(string(platform)) {
		builder = builder.WithEnvVariable(v.Name, v.Value)
	}
	return image.
		// Every user can create temporary files, for large results of minions.
		WithDirectory("/", dag.Directory().WithNewDirectory("tmp", dagger.DirectoryWithNewDirectoryOpts{Permissions: 0o777})).
		WithFile(certificates, builder.File(certificates)).
		WithFile("/usr/local/bin/spiro-deploy", builder.WithExec(module.BuildCommand("/spiro-deploy")).File("/spiro-deploy"),
			dagger.ContainerWithFileOpts{Permissions: 0o755}).
		WithEnvVariable("PATH", "/usr/local/bin").
		WithUser("65532:65532").
		WithWorkdir("/project").
		WithEntrypoint([]string{"/usr/local/bin/spiro-deploy"}).
		WithLabel("org.opencontainers.image.source", "https://github.com/spirostack/spirodeploy").
		WithLabel("org.opencontainers.image.title", "spiro-deploy").
		WithLabel("org.opencontainers.image.licenses", "Apache-2.0")
}
