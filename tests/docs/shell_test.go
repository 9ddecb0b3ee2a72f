package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/tests/docs/example"
)

// cannot has the shell blocks that cannot run here, each with the reason.
var cannot = map[string]string{
	"README.md: go tool mage demo    # bundles examples/shop, deploys it to a server in the same process, shows what happens":                    "internal/dev/demo tests the demo, and the other line runs this test",
	"README.md: go install github.com/spirostack/spirodeploy/spirodeploy/cmd/spiro-deploy@latest":                                                "needs the network",
	"README.md: go get -tool github.com/magefile/mage     # once; an installed mage does as well":                                                "needs the network",
	"README.md: dagger -m github.com/spirostack/spirodeploy call \\":                                                                             "needs an engine",
	"docs/dagger.md: dagger -m github.com/spirostack/spirodeploy call bundle --dir . export --path bundle.tar":                                   "needs an engine",
	"docs/dagger.md: dagger -m github.com/spirostack/spirodeploy call --service tcp://localhost:4510 --ssl-cert salt.pem deploy …":               "needs an engine",
	"docs/dagger.md: dagger -m github.com/spirostack/spirodeploy call push --bundle bundle.tar --address oci://registry.example.com/shop:1.4 \\": "needs an engine",
	"docs/guides/promote.md: dagger -m github.com/spirostack/spirodeploy call pull --address oci://registry.example.com/shop@sha256:… \\":        "needs an engine",
	"docs/development.md: sha256sum --ignore-missing -c SHA256SUMS             # the archive; on macOS, shasum -a 256":                           "needs a release; tests/publish tests what it makes",
	"docs/development.md: git checkout v0.1.0":                                                                                                             "needs a release; tests/publish makes one from two clones",
	"docs/engines.md: # a remote engine":                                                                                                                   "needs an engine",
	"docs/engines.md: SPIRODEPLOY_SERVER=https://salt.example.com:4510/":                                                                                   "is a file that the dagger command reads",
	"docs/library.md: go get github.com/spirostack/spirodeploy/spirodeploy@latest":                                                                         "needs the network",
	"docs/dagger.md: dagger -m github.com/spirostack/spirodeploy call --server https://salt.example.com:4510/ \\":                                          "needs an engine",
	"docs/dagger.md: dagger -m github.com/spirostack/spirodeploy call image --platform linux/arm64 publish --address registry.example.com/spiro-deploy:v1": "needs an engine",

	"docs/guides/install.md: curl -fLO \"https://github.com/spirostack/spirodeploy/releases/download/v0.1.0/{spiro-deploy_v0.1.0_linux_amd64.tar.gz,SHA256SUMS}\"":  "needs a release; tests/publish tests what it makes",
	"docs/guides/install.md: apt install ./spiro-deploy_v0.1.0_linux_amd64.deb":                                                                                     "as above",
	"docs/guides/install.md: go install github.com/spirostack/spirodeploy/spirodeploy/cmd/spiro-deploy@latest":                                                      "needs the network; tests/publish installs it from a proxy of its own",
	"docs/guides/install.md: docker run --rm --user \"$(id -u)\" -v \"$PWD:/project\" -e SPIRO_URL -e SPIRO_TOKEN ghcr.io/spirostack/spiro-deploy:v0.1.0 shop prod": "needs a release",
	"docs/guides/install.md: go get -tool github.com/magefile/mage":                                                                                                 "needs the network",
	"docs/guides/install.md: dagger -m github.com/spirostack/spirodeploy@v0.1.0 call deploy --help":                                                                 "needs an engine",
	"docs/guides/master.md: salt-pip install \"git+https://github.com/spirostack/spirodeploy#subdirectory=contrib/spirofs-compat\"":                                 "needs a Salt master; tests/spirofs runs it in a fresh environment",
	"docs/guides/master.md: systemctl restart salt-master":                                                                                                          "as above",

	"README.md: go tool mage demo -serve    # prints the line \"export SPIRO_URL=… SPIRO_TOKEN=…\", and serves until Ctrl-C": "serves until Ctrl-C; internal/dev/demo tests the demo",
	"README.md: go build -o spiro-deploy ./spirodeploy/cmd/spiro-deploy":                                                     "is for a clone; all tests here build the command like this",
	"docs/guides/install.md: go build -o spiro-deploy ./spirodeploy/cmd/spiro-deploy":                                        "as above",
	"docs/guides/install.md: go mod edit -replace github.com/spirostack/spirodeploy=../spirodeploy":                          "is for a clone; the project of all tests here has such a replacement",
	"docs/guides/install.md: spiro-deploy --dir examples/shop --artifact build/shop --insecure shop prod":                    "is for the server of the demo",
}

// TestShell: every shell block does what it says, in a project that is a copy of
// examples/shop with README's magefile, and deploys to the server that it names.
func TestShell(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("SSL_CERT_FILE, which makes the server one to trust, is for Linux")
	}
	bin := programs(t)
	listed := map[string]bool{}
	for _, b := range blocks(t) {
		if b.language != "sh" {
			continue
		}
		if cannot[b.name()] != "" {
			listed[b.name()] = true
			continue
		}
		t.Run(b.name(), func(t *testing.T) {
			t.Parallel()
			b.run(t, bin)
		})
	}
	for name := range cannot {
		if !listed[name] {
			t.Errorf("there is no block %q any more", name)
		}
	}
}

// run runs a block, and expects that it deploys.
func (b block) run(t *testing.T, bin string) {
	scratch := t.TempDir()
	dir := filepath.Join(scratch, "shop")
	makeProject(t, dir)
	server, err := example.Start(scratch, false)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	token := ""
	for _, variable := range server.Environ() {
		if value, found := strings.CutPrefix(variable, "SPIRO_TOKEN="); found {
			token = value
		}
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-euxc", strings.ReplaceAll(b.text, "SPIRO_TOKEN=…", "SPIRO_TOKEN="+token))
	cmd.Dir = dir
	cmd.Env = append(slices.Concat(os.Environ(), server.Environ()), "PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"), "RUNNER_TEMP="+scratch,
		"GITHUB_STEP_SUMMARY="+filepath.Join(scratch, "summary.md"), "MAGEFILE_CACHE="+filepath.Join(bin, "cache"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if _, deployed := server.Deployment("shop", "prod"); !deployed || !strings.Contains(string(out), "Success: shop/prod deployed: 3 minions") {
		t.Errorf("it does not deploy:\n%s", out)
	}
}

// programs returns a directory with the programs that blocks call.
func programs(t *testing.T) string {
	t.Helper()
	bin := t.TempDir()
	if _, err := example.Build(t.Context(), bin); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(bin, "mage"), "github.com/magefile/mage")
	cmd.Dir = example.Root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return bin
}

// makeProject makes the project: a module of its own that requires this one and the same
// versions as it, so that nothing has to be fetched.
func makeProject(t *testing.T, dir string) {
	t.Helper()
	if err := example.Project(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs(example.Root)
	if err != nil {
		t.Fatal(err)
	}
	const name = "github.com/spirostack/spirodeploy"
	files := map[string]string{
		"CHANGES.md": "A shop\n", "go.sum": read(t, filepath.Join(root, "go.sum")),
		"go.mod": strings.Replace(read(t, filepath.Join(root, "go.mod")), "module "+name, "module example.com/shop", 1) +
			"\nrequire " + name + " v0.0.0\n\nreplace " + name + " => " + root + "\n",
	}
	for _, b := range blocks(t) {
		if b.file == "README.md" && strings.HasPrefix(b.text, "//go:build mage\n") {
			files["magefile.go"] = b.text
		}
	}
	if files["magefile.go"] == "" {
		t.Fatal("README.md has no magefile")
	}
	for file, content := range files {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
