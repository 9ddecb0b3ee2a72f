package dagger_test

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"dagger.io/dagger"
	"golang.org/x/crypto/bcrypt"

	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
)

// registryImage has distribution, a real registry.
const registryImage = "registry:2"

// registryService returns a registry with a login, which the session reaches as
// registry:5000.
func registryService(t *testing.T, client *dagger.Client, user, password string) *dagger.Service {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return client.Container().From(registryImage).
		WithEnvVariable("REGISTRY_AUTH", "htpasswd").
		WithEnvVariable("REGISTRY_AUTH_HTPASSWD_REALM", "registry").
		WithEnvVariable("REGISTRY_AUTH_HTPASSWD_PATH", "/auth/htpasswd").
		WithNewFile("/auth/htpasswd", fmt.Sprintf("%s:%s\n", user, hash)).
		WithExposedPort(5000).
		AsService(dagger.ContainerAsServiceOpts{UseEntrypoint: true}).
		WithHostname("registry")
}

// TestRegistry pushes a bundle to a registry that is a service of the session, pulls it
// by its digest, and deploys it.
func TestRegistry(t *testing.T) {
	needEngine(t)
	path, err := exec.LookPath("dagger")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("_EXPERIMENTAL_DAGGER_CLI_BIN", path)
	srv := server(t, nil)
	file, digest := tarball(t, bundle.Options{Dir: project(t)})
	number, err := strconv.Atoi(port(t, srv))
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	client, err := dagger.Connect(ctx, dagger.WithLogOutput(os.Stderr))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.ModuleSource(module).AsModule().Serve(ctx); err != nil {
		t.Fatal(err)
	}
	const user, right, wrong = "ci", "the-right-password", "the-wrong-password"
	service, err := registryService(t, client, user, right).Start(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if _, err := service.Stop(ctx); err != nil {
			t.Error(err)
		}
	}()
	spiro := client.QueryBuilder().Select("spirodeploy").
		Arg("server", "http://salt:4510/").
		Arg("insecure", true).
		Arg("service", client.Host().Service([]dagger.PortForward{{Backend: number, Frontend: 4510}}))
	password := client.SetSecret("REGISTRY_PASSWORD", right)
	var address string
	err = spiro.Select("push").
		Arg("bundle", client.Host().File(file)).
		Arg("address", "oci://registry:5000/shop:1").
		Arg("username", user).
		Arg("password", password).
		Arg("registryPlain", true).
		Bind(&address).Execute(ctx)
	if err != nil || !strings.HasPrefix(address, "oci://registry:5000/shop:1@sha256:") {
		t.Fatalf("push returns %q, %v", address, err)
	}
	pull := func(password *dagger.Secret) (id dagger.FileID, err error) {
		err = spiro.Select("pull").
			Arg("address", address).
			Arg("username", user).
			Arg("password", password).
			Arg("registryPlain", true).
			Select("id").Bind(&id).Execute(ctx)
		return id, err
	}
	pulled, err := pull(password)
	if err != nil {
		t.Fatal(err)
	}
	var succeeded bool
	err = spiro.Select("deployReport").
		Arg("bundle", pulled).
		Arg("project", "shop").
		Arg("deployment", "prod").
		Arg("token", client.SetSecret("SPIRO_TOKEN", srv.Token(time.Hour, "shop"))).
		Select("succeeded").Bind(&succeeded).Execute(ctx)
	if err != nil || !succeeded {
		t.Errorf("the deployment of the bundle that was pulled: %t, %v", succeeded, err)
	}
	if d, ok := srv.Deployment("shop", "prod"); !ok || d.Digest != digest {
		t.Error("the server got another bundle than the module pushed")
	}
	_, err = pull(client.SetSecret("WRONG_PASSWORD", wrong))
	if err == nil || !strings.Contains(err.Error(), "the registry does not take the login") || strings.Contains(err.Error(), wrong) {
		t.Errorf("with a wrong password, pull says %v", err)
	}
}
