package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/sanitize"
)

// Types of the artifact and of its layer.
const (
	ArtifactType = "application/vnd.spirofs.bundle.v1"
	LayerType    = "application/vnd.spirofs.bundle.v1.tar"
)

const (
	// maxManifest is the size of the largest manifest that is read, in bytes. Those of
	// bundles have about one thousand.
	maxManifest = 1 << 20
	// maxBundle is the size of the largest bundle, in bytes: SpiroFS takes no larger request
	// (client.TLSLimit).
	maxBundle = 10 << 30
	// fileName is what "oras pull" writes the bundle to. It is the same for all, so that
	// a bundle has the same manifest in every repository.
	fileName = "bundle.tar"
)

// Origin says where a bundle comes from, beside its commit. What is empty is left out.
type Origin struct {
	// Source is the URL of the source code.
	Source string
	// Created is when the bundle was made, such as SOURCE_DATE_EPOCH says. The
	// current time would make another manifest each time.
	Created time.Time
}

var commitHash = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)

// annotations returns those of a manifest; commit is the content of .gitcommit.
func (o Origin) annotations(commit string) (map[string]string, error) {
	all := map[string]string{}
	if hash, _, _ := strings.Cut(commit, "\n"); commitHash.MatchString(hash) {
		all[ocispec.AnnotationRevision] = hash
	}
	if o.Source != "" {
		u, err := url.Parse(o.Source)
		switch {
		case err != nil || u.Scheme == "" || u.Host == "":
			return nil, errors.New("source of the bundle: it is no URL")
		case u.User != nil:
			return nil, errors.New("source of the bundle: its URL has a user name or password in it, which everyone could read: leave them out")
		}
		all[ocispec.AnnotationSource] = o.Source
	}
	if !o.Created.IsZero() {
		all[ocispec.AnnotationCreated] = o.Created.UTC().Truncate(time.Second).Format(time.RFC3339)
	}
	return all, nil
}

// newManifest returns the manifest of a bundle, whose bytes depend on nothing else.
func newManifest(bundle digest.Digest, size int64, annotations map[string]string) ([]byte, error) {
	return json.Marshal(ocispec.Manifest{
		Versioned:    specs.Versioned{SchemaVersion: 2},
		MediaType:    ocispec.MediaTypeImageManifest,
		ArtifactType: ArtifactType,
		Config:       ocispec.DescriptorEmptyJSON,
		Layers: []ocispec.Descriptor{{
			MediaType: LayerType, Digest: bundle, Size: size,
			Annotations: map[string]string{ocispec.AnnotationTitle: fileName},
		}},
		Annotations: annotations,
	})
}

// readManifest returns what a manifest says of the bundle; the error tells why it is
// none of a bundle.
func readManifest(data []byte) (Result, error) {
	var m ocispec.Manifest
	if err := json.Unmarshal(data, &m); err != nil || m.SchemaVersion != 2 {
		return Result{}, errors.New("it is no manifest")
	}
	switch {
	case m.MediaType != "" && m.MediaType != ocispec.MediaTypeImageManifest:
		return Result{}, errors.New("its type is " + quote(m.MediaType))
	case len(m.Layers) != 1:
		return Result{}, fmt.Errorf("it has %d layers, and that of a bundle has one", len(m.Layers))
	}
	layer := m.Layers[0]
	switch {
	case layer.MediaType != LayerType:
		return Result{}, fmt.Errorf("the type of its layer is %s, and that of a bundle is %s", quote(layer.MediaType), LayerType)
	case !shape.MatchString(layer.Digest.String()):
		return Result{}, errors.New("the digest of its layer is not one of SHA-256")
	case layer.Size <= 0:
		return Result{}, fmt.Errorf("its layer has %d bytes", layer.Size)
	case layer.Size > maxBundle:
		return Result{}, errors.New("its layer is too large: " + tooLarge(layer.Size))
	}
	return Result{Bundle: layer.Digest, Size: layer.Size, Annotations: m.Annotations}, nil
}

// tooLarge says that no server takes a bundle of a size.
func tooLarge(size int64) string {
	return fmt.Sprintf("it has %s bytes, and SpiroFS takes no more than %s", human.Thousands(int(size)), human.Size(maxBundle))
}

func quote(s string) string { return fmt.Sprintf("%q", sanitize.Clip(s, 100)) }

func clipHost(host string) string { return sanitize.Clip(host, 100) }
