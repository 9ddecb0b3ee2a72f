package salt

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing/fstest"
	"time"
)

// recordLimit is how long one deployment may take while it is recorded.
const recordLimit = 3 * time.Minute

// situation is a deployment whose stream of events is worth recording.
type situation struct {
	project, deployment string // empty: shop, prod
	noHighstate         bool
	top                 string            // who gets app.sls, as in a top file; empty: nobody
	app                 string            // app.sls
	files               map[string]string // what web1 has already, below its root
	freeze              string            // a minion that stops when highstates begin
}

// situations are the deployments of internal/dev/streams, by name.
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
	"exception":         {project: "dd", deployment: "..", app: "hello:\n  cmd.run:\n    - name: echo hello\n"},
	"requisite-missing": {top: "web1", app: "missing: {test.nop: [{require: [{test: nowhere}]}]}\n"},
	"not-a-number":      {top: "web1", app: "limits: {grains.present: [{force: true}, {value: {high: .inf, low: .nan}}]}\n"},
	"requisites": {top: "web1", app: `
good: {test.succeed_with_changes: []}
same: {test.succeed_without_changes: []}
bad: {test.fail_without_changes: []}
after-bad: {test.nop: [{require: [{test: bad}]}]}
after-after-bad: {test.nop: [{require: [{test: after-bad}]}]}
any: {test.nop: [{require_any: [{test: bad}, {test: good}]}]}
none: {test.nop: [{require_any: [{test: bad}]}]}
watched: {test.nop: [{watch: [{test: good}]}]}
unchanged: {test.nop: [{onchanges: [{test: same}]}]}
changed: {test.nop: [{onchanges: [{test: good}]}]}
failed: {test.nop: [{onfail: [{test: bad}]}]}
not-failed: {test.nop: [{onfail: [{test: good}]}]}
unless: {test.nop: [{unless: 'true'}]}
onlyif: {test.nop: [{onlyif: 'false'}]}
listening: {test.nop: [{listen: [{test: good}]}]}
first: {test.nop: [{prereq: [{test: good}]}]}
warned: {test.configurable_test_state: [{changes: false}, {result: true}, {warnings: careful}]}
no-such: {nosuch.state: []}
`},
}

// OfVersions are the situations whose streams depend on the version of Salt.
// [Master.Record] knows them.
var OfVersions = []string{"states-failed", "requisites", "requisite-missing", "not-a-number"}

// changing matches what differs between two runs of one deployment.
var changing = regexp.MustCompile(`"(pid|start_time|duration|jid)": ("[^"]*"|[0-9.]+)`)

// Same reports whether two streams differ only in that.
func Same(a, b []byte) bool {
	return bytes.Equal(changing.ReplaceAll(a, []byte(`"$1"`)), changing.ReplaceAll(b, []byte(`"$1"`)))
}

// Record records the streams of internal/dev/streams anew, from a real master, into
// files NAME.sse of a directory. A file whose stream is the [Same] stays: tests know
// its times and numbers.
func Record(ctx context.Context, dir string, progress func(string)) (err error) {
	// The other tests read streams of the oldest version; tests/spirofs has those of the
	// others.
	env, err := PrepareVersion(ctx, Versions[len(Versions)-1], progress)
	if err != nil {
		return err
	}
	m, err := env.Start(ctx, Options{Minions: []Minion{{ID: "web1"}, {ID: "db1"}}, Published: true, Freezes: true, Progress: progress})
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

// Record returns the stream of one of the situations of internal/dev/streams, byte for
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

// deploy posts a situation's deployment, and returns the stream.
func (m *Master) deploy(ctx context.Context, s situation) ([]byte, error) {
	if s.project == "" {
		s.project, s.deployment = "shop", "prod"
	}
	files := fstest.MapFS{"app.sls": {Data: []byte(s.app), Mode: 0o644}}
	if s.top != "" {
		files["spirotop.sls"] = &fstest.MapFile{Data: []byte(s.deployment + ":\n  '" + s.top + "': [app]\n"), Mode: 0o644}
	}
	var bundle bytes.Buffer
	archive := tar.NewWriter(&bundle)
	if err := errors.Join(archive.AddFS(files), archive.Close()); err != nil {
		return nil, err
	}
	form := Form{Project: s.project, Deployment: s.deployment, Highstate: !s.noHighstate, Bundle: bundle.Bytes()}
	form.Heard = func(line string) error {
		if s.freeze != "" && line == "event: highstate-start\n" {
			return m.Freeze(s.freeze)
		}
		return nil
	}
	return m.Post(ctx, form)
}
