package salt

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// recordLimit is how long one deployment may take while it is recorded.
const recordLimit = 3 * time.Minute

// situation is a deployment whose stream of events is worth having.
type situation struct {
	project, deployment string // empty: shop, prod
	noHighstate         bool
	top                 string            // who gets app.sls, as in a top file; empty: nobody
	app                 string            // app.sls
	files               map[string]string // what web1 has already, below its root
	freeze              string            // a minion that stops when highstates begin
}

// situations are those of internal/streams, by name.
var situations = map[string]situation{
	"ok": {top: "web1", files: map[string]string{"etc/app.conf": "v1\n"}, app: `
{{ grains['root'] }}/etc/app.conf:
  file.managed:
    - contents: v2
hello:
  cmd.run:
    - name: echo hello
`},
	"states-failed": {top: "web1", app: `
fine:
  cmd.run:
    - name: echo hello
    - unless: "true"
bad:
  cmd.run:
    - name: echo oops >&2; exit 3
after:
  cmd.run:
    - name: echo never
    - require:
      - cmd: bad
t:
  test.configurable_test_state:
    - changes: true
    - result: true
    - comment: "multi\nline"
    - warnings: careful
dep:
  file.managed:
    - name: {{ grains['root'] }}/tmp/none
    - source: salt://no/such
`},
	"render-failed":         {top: "web1", app: "{{ undefined_thing.foo }}\n"},
	"minion-not-responding": {top: "*", freeze: "db1", app: "slow:\n  cmd.run:\n    - name: sleep 3\n"},
	"no-minions":            {app: "hello:\n  cmd.run:\n    - name: echo hello\n"},
	"no-highstate":          {noHighstate: true, app: "hello:\n  cmd.run:\n    - name: echo hello\n"},
	// A deployment that the client of this project refuses to send.
	"exception": {project: "dd", deployment: "..", app: "hello:\n  cmd.run:\n    - name: echo hello\n"},
}

// changing is what two runs of one deployment do not have in common.
var changing = regexp.MustCompile(`"(pid|start_time|duration|jid)": ("[^"]*"|[0-9.]+)`)

// Same reports whether two streams are the same but for that.
func Same(a, b []byte) bool {
	return bytes.Equal(changing.ReplaceAll(a, []byte(`"$1"`)), changing.ReplaceAll(b, []byte(`"$1"`)))
}

// Record records the streams of internal/streams anew, from a real master, into
// files NAME.sse of a directory. A file whose stream is the [Same] stays: tests know
// its times and numbers.
func Record(ctx context.Context, dir string, progress func(string)) (err error) {
	env, err := Prepare(ctx, progress)
	if err != nil {
		return err
	}
	m, err := env.Start(ctx, Options{Minions: []Minion{{ID: "web1"}, {ID: "db1"}}, Progress: progress})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	for _, name := range slices.Sorted(maps.Keys(situations)) {
		progress("recording " + name)
		stream, err := m.Record(ctx, name)
		if err != nil {
			return fmt.Errorf("record %s: %w", name, err)
		}
		file := filepath.Join(dir, name+".sse")
		if was, err := os.ReadFile(file); err == nil && Same(was, stream) {
			progress(file + " stays: nothing but times and numbers of processes and jobs has changed")
			continue
		}
		if err := os.WriteFile(file, stream, 0o644); err != nil {
			return fmt.Errorf("record %s: %w", name, err)
		}
		progress(file + " is new")
	}
	return nil
}

// Record returns the stream of one of the situations of internal/streams, byte for
// byte but for the paths of the temporary directory. The master needs the minions
// web1 and db1, and plain HTTP.
func (m *Master) Record(ctx context.Context, name string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, recordLimit)
	defer cancel()
	s, ok := situations[name]
	if !ok {
		return nil, errors.New("there is no such situation")
	}
	for file, text := range s.files {
		path := filepath.Join(m.Root("web1"), filepath.FromSlash(file))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			return nil, err
		}
	}
	stream, err := m.deploy(ctx, s)
	if s.freeze != "" {
		err = errors.Join(err, m.Thaw(s.freeze))
	}
	text := strings.NewReplacer(m.Root("web1"), "", m.path("master", "var"), "/var/cache/salt/master").Replace(string(stream))
	if strings.Contains(text, m.dir) {
		err = errors.Join(err, errors.New("a path of the temporary directory is left"))
	}
	return []byte(text), err
}

// deploy posts a deployment as simply as can be, and returns the stream.
func (m *Master) deploy(ctx context.Context, s situation) ([]byte, error) {
	if s.project == "" {
		s.project, s.deployment = "shop", "prod"
	}
	body, contentType, err := s.body()
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.URL, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Authorization", "Bearer "+m.RootToken().Reveal())
	transport := &http.Transport{} // no proxy
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the server answered %s", resp.Status)
	}
	var stream []byte
	for in := bufio.NewReader(resp.Body); ; {
		line, err := in.ReadBytes('\n')
		stream = append(stream, line...)
		if errors.Is(err, io.EOF) {
			return stream, nil
		}
		if err == nil && s.freeze != "" && string(line) == "event: highstate-start\n" {
			err = m.Freeze(s.freeze)
		}
		if err != nil {
			return stream, err
		}
	}
}

// body returns the form to post, and its type.
func (s situation) body() (io.Reader, string, error) {
	files := map[string]string{"app.sls": s.app}
	if s.top != "" {
		files["spirotop.sls"] = s.deployment + ":\n  '" + s.top + "': [app]\n"
	}
	var body, bundle bytes.Buffer
	archive := tar.NewWriter(&bundle)
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(files)) {
		errs = append(errs, archive.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(files[name]))}))
		_, err := io.WriteString(archive, files[name])
		errs = append(errs, err)
	}
	errs = append(errs, archive.Close())
	form := multipart.NewWriter(&body)
	errs = append(errs, form.WriteField("project", s.project), form.WriteField("deployment", s.deployment))
	if !s.noHighstate {
		errs = append(errs, form.WriteField("highstate", "True"))
	}
	part, err := form.CreateFormFile("bundle", "bundle.tar")
	if err == nil {
		_, err = part.Write(bundle.Bytes())
	}
	return &body, form.FormDataContentType(), errors.Join(append(errs, err, form.Close())...)
}
