package spirotest_test

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/internal/dev/pace"
	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
)

func read(tb testing.TB, d *spirotest.Deployment, name string) string {
	tb.Helper()
	content, err := fs.ReadFile(d.FS(), name)
	check(tb, err)
	return string(content)
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

func waitFor(srv *spirotest.Server, project, deployment string) (*spirotest.Deployment, bool) {
	for end := time.Now().Add(pace.Hang); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if d, ok := srv.Deployment(project, deployment); ok {
			return d, true
		}
	}
	return nil, false
}

func TestDeployment(t *testing.T) {
	t.Parallel()
	srv := spirotest.New(t, spirotest.Options{})
	long := strings.Repeat("long/", 60) + "name"
	bundle := makeTar(t,
		member{kind: tar.TypeXGlobalHeader},
		member{name: "./"},
		member{name: "app/", mode: 0o500},
		member{name: "app/run.sh", content: "#!/bin/sh\n", mode: 0o755},
		member{name: "app/secret", content: "x", mode: 0o400},
		member{name: "./no/folder/entry", content: "deep"},
		member{name: long, content: "long"},
		member{name: "umlaut-ü", content: "ü"},
		member{name: "current", link: "app", kind: tar.TypeSymlink},
		member{name: "current/through", content: "link"},
		member{name: "dangling", link: "nowhere/at/all", kind: tar.TypeSymlink},
		member{name: "up/down", link: "../app/run.sh", kind: tar.TypeSymlink},
		member{name: "hard", link: "app/run.sh", kind: tar.TypeLink},
		member{name: "twice", content: "first, and longer"},
		member{name: "twice", content: "second"},
		member{name: "relinked", content: "file"},
		member{name: "relinked", link: "twice", kind: tar.TypeSymlink},
	)
	if stream := deploy(t, srv, "shop", "prod", bundle); stream != deployed {
		t.Fatalf("stream %q", stream)
	}
	d, ok := srv.Deployment("shop", "prod")
	if !ok {
		t.Fatal("not deployed")
	}
	if d.Project != "shop" || d.Deployment != "prod" || d.Saltenv != "shop/prod" || d.Size != int64(len(bundle)) {
		t.Errorf("deployment %+v", d)
	}
	if want := fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(bundle))); d.Digest != want {
		t.Errorf("digest %s, want %s", d.Digest, want)
	}
	for name, want := range map[string]string{
		"app/run.sh": "#!/bin/sh\n", "app/secret": "x", "no/folder/entry": "deep", long: "long", "umlaut-ü": "ü",
		"current/run.sh": "#!/bin/sh\n", "app/through": "link", "up/down": "#!/bin/sh\n", "hard": "#!/bin/sh\n",
		"twice": "second", "relinked": "second",
	} {
		if got := read(t, d, name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string]fs.FileMode{
		"app": fs.ModeDir | 0o700, "app/run.sh": 0o755, "app/secret": 0o600, "twice": 0o644,
	} {
		info, err := fs.Stat(d.FS(), name)
		check(t, err)
		if info.Mode() != want || !info.ModTime().Equal(someTime) {
			t.Errorf("%s: %v at %v, want %v at %v", name, info.Mode(), info.ModTime(), want, someTime)
		}
	}
	for name, want := range map[string]string{"current": "app", "dangling": "nowhere/at/all", "up/down": "../app/run.sh"} {
		if got, err := fs.ReadLink(d.FS(), name); err != nil || got != want {
			t.Errorf("%s: link to %q, %v, want %q", name, got, err, want)
		}
	}
}

func TestReplacedWhole(t *testing.T) {
	t.Parallel()
	srv := spirotest.New(t, spirotest.Options{})
	deploy(t, srv, "shop", "prod", makeTar(t, member{name: "old"}))
	old, _ := srv.Deployment("shop", "prod")
	deploy(t, srv, "shop", "test", makeTar(t, member{name: "other"}))
	deploy(t, srv, "shop", "prod", makeTar(t, member{name: "new"}))
	d, _ := srv.Deployment("shop", "prod")
	if exists(filepath.Join(d.Dir, "old")) || !exists(filepath.Join(d.Dir, "new")) {
		t.Error("the new deployment is not the new bundle alone")
	}
	if !exists(filepath.Join(old.Dir, "old")) {
		t.Error("the old deployment cannot be read any more")
	}
	if _, ok := srv.Deployment("shop", "test"); !ok {
		t.Error("the other deployment is gone")
	}
	if _, ok := srv.Deployment("shop", "none"); ok {
		t.Error("a deployment that was never made")
	}
}

// TestException deploys bundles that do not unpack: the client hears of it, the
// deployment before stays, and nothing lands outside.
func TestException(t *testing.T) {
	t.Parallel()
	dir := tar.Header{Typeflag: tar.TypeDir}.Typeflag
	tests := []struct {
		name    string
		members []member
		want    string // DIR is the staging folder
	}{
		{"file over folder", []member{{name: "a/b"}, {name: "a"}}, `IsADirectoryError: [Errno 21] Is a directory: 'DIR/a'\n`},
		{"folder over file", []member{{name: "a"}, {name: "a", kind: dir}}, `FileExistsError: [Errno 17] File exists: 'DIR/a'\n`},
		{"file below file", []member{{name: "a"}, {name: "a/b"}}, `NotADirectoryError: [Errno 20] Not a directory: 'DIR/a/b'\n`},
		{"link over folder", []member{{name: "a/b"}, {name: "a", link: "b", kind: tar.TypeSymlink}}, `IsADirectoryError: [Errno 21] Is a directory: 'DIR/a'\n`},
		{"above", []member{{name: "../outside"}}, `tarfile.OutsideDestinationError: '../outside' would be extracted to 'ROOT/outside', which is outside the destination\n`},
		{"above and back", []member{{name: "a/../../outside"}}, `tarfile.OutsideDestinationError: 'a/../../outside' would be extracted to 'ROOT/outside', which is outside the destination\n`},
		{"absolute", []member{{name: "/outside"}}, `tarfile.AbsolutePathError: member '/outside' has an absolute path\n`},
		{"absolute link", []member{{name: "a", link: "/etc", kind: tar.TypeSymlink}}, `tarfile.AbsoluteLinkError: 'a' is a link to an absolute path\n`},
		{"leaving link", []member{{name: "a/b", link: "../../outside", kind: tar.TypeSymlink}}, `tarfile.LinkOutsideDestinationError: 'a/b' would link to '../../outside', which is outside the destination\n`},
		{"leaving by another link", []member{{name: "d", link: ".", kind: tar.TypeSymlink}, {name: "d/l", link: "..", kind: tar.TypeSymlink}}, `tarfile.LinkOutsideDestinationError: 'l' would link to '..', which is outside the destination\n`},
		{"leaving by a later link", []member{{name: "l", link: "later/..", kind: tar.TypeSymlink}, {name: "later", link: ".", kind: tar.TypeSymlink}}, `tarfile.LinkOutsideDestinationError: 'l' would link to 'later/..', which is outside the destination\n`},
		{"leaving by many links", append(chain(9), member{name: "l", link: strings.Join(strings.Split("abcdefghi", ""), "/") + "/../..", kind: tar.TypeSymlink}), ""},
		{"file below a leaving link", []member{{name: "a", link: "..", kind: tar.TypeSymlink}, {name: "a/outside"}}, `tarfile.OutsideDestinationError: 'a/outside' would be extracted to 'DIR/a/outside', which is outside the destination\n`},
		{"file over a leaving link", []member{{name: "a", link: "../outside", kind: tar.TypeSymlink}, {name: "a", content: "x"}}, `tarfile.OutsideDestinationError: 'a' would be extracted to 'DIR/a', which is outside the destination\n`},
		{"leaving hard link", []member{{name: "a", link: "../../../etc/passwd", kind: tar.TypeLink}}, `tarfile.LinkOutsideDestinationError: 'a' would link to '../../../etc/passwd', which is outside the destination\n`},
		{"hard link to nothing", []member{{name: "a", link: "b", kind: tar.TypeLink}}, `FileNotFoundError: [Errno 2] No such file or directory: 'DIR/a'\n`},
		{"pipe", []member{{name: "a", kind: tar.TypeFifo}}, `tarfile.SpecialFileError: 'a' is a special file\n`},
		{"device", []member{{name: "a", kind: tar.TypeChar}}, `tarfile.SpecialFileError: 'a' is a special file\n`},
		{"spirotop is a list", []member{{name: "spirotop.sls", content: "- prod\n"}}, `AttributeError: 'list' object has no attribute 'get'\n`},
		{"spirotop is text", []member{{name: "spirotop.sls", content: "prod\n"}}, `AttributeError: 'str' object has no attribute 'get'\n`},
		{"spirotop is no yaml", []member{{name: "spirotop.sls", content: "{% if x %}\nprod: {}\n"}}, ""},
		{"spirotop is a folder", []member{{name: "spirotop.sls/a"}}, `IsADirectoryError: [Errno 21] Is a directory: 'DIR/spirotop.sls'\n`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			srv := spirotest.New(t, spirotest.Options{})
			deploy(t, srv, "shop", "prod", makeTar(t, member{name: "before"}))
			before, _ := srv.Deployment("shop", "prod")
			root := filepath.Dir(before.Dir)

			stream := deploy(t, srv, "shop", "prod", makeTar(t, tt.members...), highstate)
			event, ok := strings.CutPrefix(stream, deployed+"event: exception\ndata: {\"msg\": \"")
			if !ok || !strings.HasSuffix(event, `\n"}`+"\n\n") {
				t.Fatalf("stream %q", stream)
			}
			message := strings.TrimSuffix(event, "\"}\n\n")
			// The name of the staging folder ends in a number.
			want := strings.NewReplacer("DIR", root+"/deployment-N", "ROOT", root).Replace(tt.want)
			if got := staging.ReplaceAllString(message, "deployment-N"); want != "" && got != want {
				t.Errorf("message\n%s\nwant\n%s", got, want)
			}
			if now, _ := srv.Deployment("shop", "prod"); now.Dir != before.Dir || !exists(filepath.Join(now.Dir, "before")) {
				t.Error("the deployment before did not stay")
			}
			left, err := os.ReadDir(root)
			check(t, err)
			if len(left) != 1 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// chain are links to "." with the names a, b, c, …
func chain(n int) []member {
	var list []member
	for i := range n {
		list = append(list, member{name: string(rune('a' + i)), link: ".", kind: tar.TypeSymlink})
	}
	return list
}

// TestClientGone deploys and goes away at the first byte of the answer.
func TestClientGone(t *testing.T) {
	t.Parallel()
	srv := spirotest.New(t, spirotest.Options{Minions: []spirotest.Minion{{ID: "web1", Delay: time.Hour}}})
	var members []member
	for i := range 500 {
		members = append(members, member{name: fmt.Sprintf("file%d", i), content: strings.Repeat("x", 1000)})
	}
	members = append(members, member{name: "top.sls", content: "shop/prod: {'*': [app]}\n"})
	ctx, cancel := context.WithCancel(t.Context())
	req := request(t, "POST", srv.URL(), srv.Token(0), upload("shop", "prod", makeTar(t, members...), highstate))
	resp, err := client(t).Do(req.WithContext(ctx))
	check(t, err)
	cancel()
	_ = resp.Body.Close()

	d, ok := waitFor(srv, "shop", "prod")
	if !ok {
		t.Fatal("not deployed")
	}
	if !exists(filepath.Join(d.Dir, "file499")) {
		t.Error("deployed in part")
	}
}

// TestUploadBrokenOff is a client that goes away in the middle of its bundle.
func TestUploadBrokenOff(t *testing.T) {
	t.Parallel()
	srv := spirotest.New(t, spirotest.Options{})
	body, contentType := encode(t, upload("shop", "prod", oneFile(t)))
	conn, err := net.Dial("tcp", strings.Trim(strings.TrimPrefix(srv.URL(), "http://"), "/"))
	check(t, err)
	_, err = fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
		srv.Token(0), contentType, len(body), body[:len(body)-1])
	check(t, err)
	check(t, conn.Close())
	for end := time.Now().Add(pace.Hang); len(srv.Requests()) == 0 && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	check(t, srv.Close())
	if _, ok := srv.Deployment("shop", "prod"); ok {
		t.Error("deployed")
	}
	if got := srv.Requests(); len(got) != 1 || got[0].Status != 0 {
		t.Errorf("requests %+v, want one with no status", got)
	}
}

func TestDeployAtTheSameTime(t *testing.T) {
	t.Parallel()
	srv := spirotest.New(t, spirotest.Options{Minions: []spirotest.Minion{{ID: "web1"}}})
	for i := range 10 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			srv.SetMinions(spirotest.Minion{ID: fmt.Sprintf("web%d", i)})
			deploy(t, srv, "shop", "prod", withTop(t, "prod", "*"), highstate)
			if _, ok := srv.Deployment("shop", "prod"); !ok {
				t.Error("not deployed")
			}
			srv.Requests()
		})
	}
}
