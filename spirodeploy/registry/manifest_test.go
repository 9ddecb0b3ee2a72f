package registry_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/spirostack/spirodeploy/spirodeploy/registry"
)

func digestOf(s string) digest.Digest { return digest.Digest(s) }

// TestManifestIsPinned: people pin and sign the digest, so that the bytes are a promise.
func TestManifestIsPinned(t *testing.T) {
	t.Parallel()
	f := newFake(t, nil)
	at := time.Date(2026, 3, 1, 12, 0, 0, 999, time.FixedZone("", 3600))
	pushed, err := newClient(t, registry.Options{}).Push(t.Context(), f.address(t, ":1.4"), content("a tar"), registry.Origin{Source: "https://git.example.com/shop", Created: at})
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	if got := string(f.manifests["1.4"]); got != strings.TrimSuffix(string(want), "\n") {
		t.Errorf("the manifest is\n%s\nwant\n%s", got, want)
	}
	if want := "sha256:d1f54fc4184a75c6680fe016ab86e180f2c838b993fb5f635e75ff78178b1752"; pushed.Manifest().String() != want {
		t.Errorf("its digest is %s, want %s", pushed.Manifest(), want)
	}
}

func TestOrigin(t *testing.T) {
	t.Parallel()
	f := newFake(t, nil)
	c := newClient(t, registry.Options{})
	for source, want := range map[string]string{"https://me:hunter2@git.example.com/shop": "user name or password", "shop": "no URL", "::": "no URL"} {
		_, err := c.Push(t.Context(), f.address(t, ":1"), content("a tar"), registry.Origin{Source: source})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", source, err)
		}
	}
	if n := len(f.requests("")); n > 0 {
		t.Errorf("%d requests were made", n)
	}
}

// TestNotBundle: what is under an address may be anything.
func TestNotBundle(t *testing.T) {
	t.Parallel()
	layer := `{"mediaType":"application/vnd.spirofs.bundle.v1.tar","digest":"` + sha + `","size":5}`
	for manifest, want := range map[string]string{
		``:                       "it is no manifest",
		`[]`:                     "it is no manifest",
		`{"schemaVersion":1}`:    "it is no manifest",
		`{"schemaVersion":2} {}`: "it is no manifest",
		`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json"}`:                                `its type is "application/vnd.oci.image.index.v1+json"`,
		`{"schemaVersion":2,"layers":[]}`:                                                                          "it has 0 layers",
		`{"schemaVersion":2,"layers":[` + layer + `,` + layer + `]}`:                                               "it has 2 layers",
		`{"schemaVersion":2,"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar\u001b"}]}`:              `the type of its layer is "application/vnd.oci.image.layer.v1.tar\x1b"`,
		`{"schemaVersion":2,"layers":[` + strings.Replace(layer, "sha256:", "sha256:../", 1) + `]}`:                "the digest of its layer is not one",
		`{"schemaVersion":2,"layers":[` + strings.Replace(layer, sha, "md5:00", 1) + `]}`:                          "the digest of its layer is not one",
		`{"schemaVersion":2,"layers":[` + strings.Replace(layer, `"size":5`, `"size":-5`, 1) + `]}`:                "its layer has -5 bytes",
		`{"schemaVersion":2,"layers":[` + strings.Replace(layer, `"size":5`, `"size":1e99`, 1) + `]}`:              "it is no manifest",
		`{"schemaVersion":2,"layers":[` + strings.Replace(layer, `"size":5`, `"x":`+strings.Repeat("[", 20000), 1): "it is no manifest",
	} {
		f := newFake(t, nil)
		f.manifests["1"] = []byte(manifest)
		_, err := newClient(t, registry.Options{}).Resolve(t.Context(), f.address(t, ":1"))
		check(t, err, registry.ErrNotBundle, "there is no bundle under this address: "+want)
	}
	found, err := registry.ReadManifest([]byte(`{"schemaVersion":2,"layers":[` + layer + `],"annotations":{"a":"b"}}`))
	if err != nil || found.Bundle.String() != sha || found.Size != 5 || found.Annotations["a"] != "b" {
		t.Errorf("%+v, %v", found, err)
	}
}

func FuzzManifest(f *testing.F) {
	good, err := os.ReadFile("testdata/manifest.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"schemaVersion":2,"layers":[{}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		found, err := registry.ReadManifest(data)
		if err != nil {
			return
		}
		if found.Size <= 0 || found.Bundle.Validate() != nil || found.Bundle.Algorithm() != digest.SHA256 {
			t.Errorf("%s is taken as %+v", data, found)
		}
	})
}
