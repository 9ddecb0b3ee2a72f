package cli

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestCertificateFile refuses a file of which only a part would be read: the certificate
// that is needed may be in the rest.
func TestCertificateFile(t *testing.T) {
	t.Parallel()
	path := written(t, filepath.Join(t.TempDir(), "all.pem"), strings.Repeat("#", maxCertificate+1))
	if _, err := readCertificate(t.Context(), path); err == nil || !strings.Contains(err.Error(), "all.pem is larger than 1.0 MiB") {
		t.Errorf("error %v", err)
	}
	path = written(t, path, strings.Repeat("#", maxCertificate))
	if pem, err := readCertificate(t.Context(), path); err != nil || len(pem) != maxCertificate {
		t.Errorf("%d bytes, error %v", len(pem), err)
	}
}

// TestLooksLikeToken: a token in quotation marks is no token, and still must not be shown.
func TestLooksLikeToken(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a1B2", 20)
	for name, want := range map[string]bool{long: true, `"` + long + `"`: true, "'" + long + "'\n": true, "token.txt": false, `"x"`: false, `"`: false} {
		if looksLikeToken(name) != want {
			t.Errorf("%s: %t", name, !want)
		}
	}
}
