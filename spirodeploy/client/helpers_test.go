package client_test

import (
	stdtar "archive/tar"
	"bytes"
	"testing"
)

// topTar is a bundle whose top file targets every minion.
func topTar(t *testing.T) content {
	t.Helper()
	const top = "prod: {'*': [app]}\n"
	var buf bytes.Buffer
	w := stdtar.NewWriter(&buf)
	if err := w.WriteHeader(&stdtar.Header{Name: "spirotop.sls", Mode: 0o644, Size: int64(len(top))}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(top)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}
