package hostile_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/registry"
)

// manifest answers with the manifest of a bundle of this digest and size.
func manifest(digest string, size int) answer {
	text := fmt.Sprintf(`{"schemaVersion":2,"layers":[{"mediaType":%q,"digest":%q,"size":%d}]}`, registry.LayerType, digest, size)
	return whole("200 OK", fmt.Sprintf("Content-Type: application/vnd.oci.image.manifest.v1+json\r\nContent-Length: %d\r\n", len(text)), text)
}

// sum returns the digest of a text.
func sum(text string) string { return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(text))) }

// depot is a registry with these answers for the manifest and the bundle.
func depot(manifest, blob answer) answer {
	return func(w *wire) {
		switch {
		case strings.Contains(w.path, "/manifests/"):
			manifest(w)
		case strings.Contains(w.path, "/blobs/"):
			blob(w)
		default: // as SpiroFS
			whole("200 OK", "Content-Type: text/plain\r\nContent-Length: 7\r\n", "Auth OK")(w)
		}
	}
}

// drip answers with a byte now and then, for ever.
func drip(begin answer) answer {
	return func(w *wire) {
		begin(w)
		for w.open() {
			w.print(" ")
			if err := w.to.Flush(); err != nil {
				w.err = err
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
}

// denied answers with an error of a registry that has a text.
func denied(text string) answer {
	return whole("403 Forbidden", "Content-Type: application/json\r\n", `{"errors":[{"code":"DENIED","message":`+quote(text)+`,"detail":`+quote(text)+`}]}`)
}

// TestRegistry: the answers of a registry do no harm to a run that deploys its bundle,
// and leave nothing behind.
func TestRegistry(t *testing.T) {
	t.Parallel()
	const tar = "not even a tar"
	ok, good := manifest(sum(tar), len(tar)), whole("200 OK", "", tar)
	large := manifest(sum(tar), 64<<20)
	attacks := []attack{
		{name: "endless manifest", get: depot(without(whole("200 OK", ""), "{"), good), status: 2, says: "more than 1 MiB"},
		{name: "manifest of many layers", get: depot(whole("200 OK", "", `{"schemaVersion":2,"layers":[{}`+strings.Repeat(",{}", 200_000)+`]}`), good), status: 2, says: "layers"},
		{name: "deep manifest", get: depot(whole("200 OK", "", strings.Repeat("[", 1<<19)), good), status: 2, says: "it is no manifest"},
		{name: "packed manifest", get: depot(whole("200 OK", "Content-Encoding: gzip\r\n", bomb()), good), status: 2, says: "no bundle"},
		{name: "manifest of another digest", get: depot(whole("200 OK", "Docker-Content-Digest: "+sum("x")+"\r\n", "{}"), good), status: 2, says: "another manifest"},
		{name: "negative size", get: depot(manifest(sum(tar), -1), good), status: 2, says: "its layer has -1 bytes"},
		{name: "endless refusal", get: depot(without(whole("403 Forbidden", ""), "no "), good), status: 3, says: "right to pull"},
		{name: "endless errors", get: depot(without(whole("403 Forbidden", "", `{"errors":[{"message":"`), "no "), good), status: 3, says: "right to pull"},
		{name: "endless blob", get: depot(ok, without(whole("200 OK", ""), "x")), status: 2, says: "is not that: it has the digest"},
		{name: "endless large blob", get: depot(large, without(whole("200 OK", ""), "x")), status: 2, says: "is not that: it has the digest"},
		{name: "larger blob", get: depot(ok, whole("200 OK", "Content-Length: 1000000\r\n", strings.Repeat("x", 1_000_000))), status: 2, says: "has 1000000 bytes, and not the 14"},
		{name: "other blob", get: depot(ok, whole("200 OK", "Content-Length: 14\r\n", "NOT EVEN A TAR")), status: 2, says: "is not that: it has the digest"},
		{name: "no tar", get: depot(ok, good), status: 2, says: "not a tar archive"},
		{name: "another part", get: depot(ok, whole("206 Partial Content", "Content-Range: bytes 7-13/14\r\n", tar[7:])), status: 3, says: "the registry answers 206"},
		{name: "drip of a manifest", get: depot(drip(whole("200 OK", "")), good), args: soon, status: 5, says: timeUp},
		{name: "drip of a blob", get: depot(large, drip(whole("200 OK", ""))), args: soon, status: 5, says: timeUp},
		{name: "drip of a header", get: depot(drip(func(w *wire) { w.print("HTTP/1.1 200 OK\r\nX:") }), good), args: soon, status: 5, says: timeUp},
		{name: "redirect to itself", get: depot(whole("307 Temporary Redirect", "Location: /v2/shop/manifests/1\r\n"), good), status: 3, says: "redirects again and again"},
		{name: "redirect of the blob to itself", get: depot(ok, whole("307 Temporary Redirect", "Location: /v2/shop/blobs/x\r\n")), status: 3, says: "redirects again and again"},
		{name: "redirect to a file", get: depot(whole("302 Found", "Location: file:///etc/passwd\r\n"), good), status: 3, says: "not one of HTTP"},
		{name: "endless header", get: depot(without(func(w *wire) { w.print("HTTP/1.1 200 OK\r\n") }, "X: x\r\n"), good), status: 5, says: "is not HTTP as it has to be"},
		{name: "endless status line", get: depot(without(func(w *wire) { w.print("HTTP/1.1 200 ") }, "OK"), good), status: 5, says: "is not HTTP as it has to be"},
		{name: "large header", get: depot(whole("200 OK", "X: "+strings.Repeat("x", 1<<20)+"\r\n", "{}"), good), status: 5, says: "is not HTTP as it has to be"},
	}
	for name, text := range evil {
		attacks = append(attacks,
			attack{name: "says " + name, get: depot(denied(text), good), status: 3, says: "gives no right to pull"},
			attack{name: "is of the type " + name, get: depot(whole("200 OK", "", `{"schemaVersion":2,"mediaType":`+quote(text)+`}`), good), status: 2, says: "its type is"},
		)
	}
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, nil, a.get, nil)
			pull(t, s, a.args...).check(t, a.status, a.says)
		})
	}
}

// TestRegistryCommands: a registry cannot make the command print commands for a CI
// service.
func TestRegistryCommands(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"::error::mine", "x\n::error::mine", "x\r::add-mask::mine", "##[error]mine", "x\n##vso[task.complete]mine", "\n##teamcity[message text='mine']", "\n[[ATTACHMENT|mine]]"} {
		s := serve(t, nil, depot(denied(text), denied(text)), nil)
		o := pull(t, s)
		o.check(t, 3, "gives no right to pull")
		said := o.said.String()
		if !strings.Contains(said, "mine") {
			t.Errorf("the command does not show the registry's words for %q", text)
		}
		for line := range strings.Lines(said) {
			for _, command := range []string{"::error::mine", "::add-mask::", "##[", "##vso", "##teamcity", "[[ATTACHMENT"} {
				if strings.HasPrefix(strings.TrimSpace(line), command) || strings.HasPrefix(command, "##") && strings.Contains(line, command) {
					t.Errorf("the log has the command %q", line)
				}
			}
		}
	}
}

// pull deploys a registry's bundle, in a job of GitHub.
func pull(t *testing.T, s *server, args ...string) outcome {
	t.Helper()
	dir, temp := t.TempDir(), t.TempDir()
	host := strings.TrimSuffix(strings.TrimPrefix(s.url, "http://"), "/")
	env := []string{"TMPDIR=" + temp, "DOCKER_CONFIG=" + dir, "GITHUB_ACTIONS=true", "NO_COLOR=1", "GITHUB_STEP_SUMMARY=" + filepath.Join(dir, "summary.md")}
	o := launch(t, dir, env, append([]string{"--server=" + s.url, "--bundle=" + registry.Scheme + host + "/shop:1"}, args...)...)
	left, err := os.ReadDir(temp)
	if err != nil || len(left) > 0 {
		t.Errorf("it leaves %v in TMPDIR, %v", left, err)
	}
	return o
}
