package spirotest

import (
	"context"
	"io/fs"
	"net/http"
	"os"
	"time"
)

// Deployment is what was swapped in for a project and one of its deployments.
// It can be read until the server is closed, also after a newer one took its
// place.
type Deployment struct {
	Project    string
	Deployment string
	Saltenv    string    // PROJECT/DEPLOYMENT
	Time       time.Time // when it was swapped in
	Digest     string    // "sha256:…" of the bundle as received
	Size       int64     // bytes of the bundle as received

	// Dir is the folder that it was unpacked to, the generated top.sls
	// included. Symbolic links are kept, and the permission bits and times
	// of files; owners may always write.
	Dir string
}

// FS is the content of Dir. It implements fs.ReadLinkFS.
func (d *Deployment) FS() fs.FS { return os.DirFS(d.Dir) }

// deploy does an accepted deployment and tells the client about it. It unpacks the bundle
// even if the client has gone away.
func (s *Server) deploy(w http.ResponseWriter, r *http.Request, f *form) {
	out := startStream(w)
	s.mu.Lock()
	minions, replay := s.minions, s.replay
	s.mu.Unlock()
	if replay != nil {
		_, _ = s.store(f)
		out.replay(replay)
		return
	}
	out.send("deploy-bundle", "Deploying bundle")
	d, err := s.store(f)
	if err != nil {
		out.send("exception", traceback(err))
		return
	}
	if f.values["highstate"] == "" {
		return
	}
	out.send("highstate-calc", "Calculating minions to highstate")
	highstate(r.Context(), out, concerned(d, minions))
}

// store unpacks a bundle, completes it and swaps it in.
func (s *Server) store(f *form) (*Deployment, error) {
	project, deployment := f.values["project"], f.values["deployment"]
	d := &Deployment{
		Project:    project,
		Deployment: deployment,
		Saltenv:    project + "/" + deployment,
		Digest:     f.digest,
		Size:       f.size,
	}
	if s.options.Discard {
		return d, nil
	}
	dir, err := os.MkdirTemp(s.dir, "deployment-")
	if err != nil {
		return nil, err
	}
	d.Dir = dir
	if err := fill(d, f.bundle); err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d.Time = time.Now()
	s.deployments[d.Saltenv] = d
	return d, nil
}

// fill fills the folder of a deployment from the bundle.
func fill(d *Deployment, bundle *os.File) error {
	root, err := os.OpenRoot(d.Dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	if err := unpack(root, bundle); err != nil {
		return err
	}
	return generateTop(root, d)
}

// highstate sends the events of the minions that a deployment concerns, each when it
// reports. If the client goes away or the server closes, it cuts the stream, which must
// not look complete.
func highstate(ctx context.Context, out *stream, minions []Minion) {
	out.send("highstate-start", startMessage(minions), member{"minions", ids(minions)})
	start := time.Now()
	for _, m := range reporting(minions) {
		select {
		case <-ctx.Done():
			panic(http.ErrAbortHandler)
		case <-time.After(time.Until(start.Add(m.Delay))):
		}
		if err := out.report(m); err != nil {
			out.send("exception", traceback(err))
			return
		}
	}
	out.send("highstate-finish", "Highstate complete")
}
