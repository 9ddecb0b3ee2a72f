package faults_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// some is a number of bytes that the buffers on the way cannot hold.
const some = 48 << 20

// sending are the faults while the bundle is on its way.
var sending = []fault{
	{name: "the connection is cut", breaks: func(s *scene) {
		s.large("_salt/large", some)
		s.answer(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.CopyN(io.Discard, r.Body, some/4)
			reset(take(s.t, w))
		})
	}},
	{name: "a link on the way breaks", breaks: func(s *scene) {
		s.large("_salt/large", some)
		link := s.link()
		s.at(report.Uploading, func() { link.toxic("limit_data", "upstream", map[string]any{"bytes": some / 4}) })
	}},
	{name: "the server closes its side of the connection", breaks: func(s *scene) {
		s.large("_salt/large", some)
		s.answer(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.CopyN(io.Discard, r.Body, some/4)
			conn := take(s.t, w)
			_ = conn.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, conn)
			_ = conn.Close()
		})
	}},
	{name: "the server takes nothing more", breaks: func(s *scene) {
		s.large("_salt/large", some)
		link := s.link()
		s.at(report.Uploading, func() { link.toxic("bandwidth", "upstream", map[string]any{"rate": 1}) })
		s.opts.Server.AnswerTimeout = 2 * soon
	}},
	{name: "more than SpiroFS takes over plain HTTP", over: "http", breaks: func(s *scene) { s.large("_salt/large", 100<<20) }},
	{name: "the server refuses and closes", breaks: func(s *scene) {
		s.large("_salt/large", some)
		s.answer(func(w http.ResponseWriter, _ *http.Request) {
			conn := take(s.t, w)
			_, _ = io.WriteString(conn, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			_ = conn.Close()
		})
	}},
	{name: "the server says it is deployed before it has all", breaks: func(s *scene) {
		s.large("_salt/large", some)
		s.answer(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.CopyN(io.Discard, r.Body, 1<<10)
			conn := take(s.t, w)
			_, _ = io.WriteString(conn, stream+"7d\r\n"+event("deploy-bundle", `"msg": "Deploying bundle"`))
			_ = conn.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, conn)
			_ = conn.Close()
		})
	}},
	{name: "`--timeout` passes", breaks: func(s *scene) { s.stuck(report.ErrTimeout) }},
	{name: "Ctrl-C", breaks: func(s *scene) { s.stuck(report.ErrInterrupted) }},
	{name: "a slow link", breaks: func(s *scene) {
		s.large("_salt/large", 1<<20)
		s.link().toxic("bandwidth", "upstream", map[string]any{"rate": 512}) // KiB a second
	}},
	{name: "a trickling link", breaks: func(s *scene) {
		s.large("_salt/large", 64<<10)
		link := s.link()
		link.toxic("slicer", "upstream", map[string]any{"average_size": 512, "size_variation": 500, "delay": 1000})
		link.toxic("slicer", "downstream", map[string]any{"average_size": 3, "size_variation": 2, "delay": 1000})
	}},
	{name: "a file grows", breaks: func(s *scene) {
		s.changing(func(path string) error { return os.Truncate(path, some+1) })
	}},
	{name: "a file shrinks", breaks: func(s *scene) {
		s.changing(func(path string) error { return os.Truncate(path, some-1) })
	}},
	{name: "a file vanishes", breaks: func(s *scene) { s.changing(os.Remove) }},
	{name: "a symbolic link takes a file's place", breaks: func(s *scene) {
		s.changing(func(path string) error { return errors.Join(os.Remove(path), os.Symlink("/etc/passwd", path)) })
	}},
	{name: "a file is written anew, with its size and time as before", breaks: func(s *scene) {
		s.changing(func(path string) error {
			info, err := os.Stat(path)
			if err != nil {
				return err
			}
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = f.WriteAt([]byte("x"), some/2)
			return errors.Join(err, f.Close(), os.Chtimes(path, time.Time{}, info.ModTime()))
		})
	}},
	{name: "a file becomes unreadable", over: "http", breaks: unreadable},
	{name: "a file changes in the middle of reading", breaks: func(s *scene) {
		path := filepath.Join(s.dir, "_salt", "large")
		s.large("_salt/large", some)
		s.answer(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.CopyN(io.Discard, r.Body, some/4)
			if err := os.Truncate(path, some/2); err != nil {
				s.t.Error(err)
			}
			_, _ = io.Copy(io.Discard, r.Body)
		})
	}},
	{name: "the bundle has another digest than `--digest`", breaks: func(s *scene) {
		s.opts.Bundle.Digest = digest.FromString("another")
	}},
}

// stuck ends the run for a reason after the server has stopped reading.
func (s *scene) stuck(reason error) {
	s.large("_salt/large", some)
	s.answer(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.CopyN(io.Discard, r.Body, some/4)
		s.cancel(reason)
	})
}

// changing changes a file of the bundle after the tree has been walked.
func (s *scene) changing(change func(path string) error) {
	s.large("_salt/large", some)
	s.at(report.Uploading, func() {
		if err := change(filepath.Join(s.dir, "_salt", "large")); err != nil {
			s.t.Error(err)
		}
	})
}
