package views_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/report/view"
)

// hostile are texts that try to be more than text.
var hostile = []string{
	`</script><script>document.title = "evil"</script>`, `<!--<script>`, `"><img src=https://evil.invalid/x onerror="document.title = 'evil'">`,
	`' onfocus='document.title = "evil"' autofocus='`, "\x1b[2J\u202egnp.exe\u2028\u2029\ufeff", `{{.}}${1}`, `</pre></details></section></main>`, `javascript:document.title="evil"`,
}

// newReport begins a report of a run up to its highstate.
func newReport(t *testing.T) (*report.Report, *report.Target) {
	t.Helper()
	rep := report.New(report.Request{
		Server: "https://salt.example.com:4510/", Project: "shop", Deployment: "prod", Highstate: true, RequireMinions: true,
	})
	t.Cleanup(func() { _ = rep.Close() })
	target := rep.Targets[0]
	target.Bundle = report.Bundle{Digest: "sha256:17e6e94b2a7d0f5f0c5b8f3f2b8f1b7f6c0c6a3d5d1c0a9f8e7d6c5b4a392817", Size: 3 << 20, Entries: 42}
	send(t, target, client.Event{Name: client.DeployBundle, Msg: "Deploying bundle"})
	send(t, target, client.Event{Name: client.HighstateCalc, Msg: "Calculating minions to highstate"})
	return rep, target
}

func send(t *testing.T, target *report.Target, e client.Event) {
	t.Helper()
	if e.Time.IsZero() {
		e.Time = target.Started.Add(time.Second)
	}
	if _, err := target.Add(e); err != nil {
		t.Fatal(err)
	}
}

func finish(t *testing.T, rep *report.Report, err error) *report.Report {
	t.Helper()
	if target := rep.Targets[0]; err == nil {
		send(t, target, client.Event{Name: client.HighstateFinish, Msg: "Highstate complete"})
	}
	rep.Targets[0].Finish(err)
	rep.Finish()
	return rep
}

// state returns the n-th state of a minion, in JSON.
func state(n int, outcome string) string {
	s := map[string]any{
		"__sls__": []string{"web", "web.nginx", "base.users"}[n%3], "__run_num__": n, "result": true, "changes": map[string]any{}, "duration": float64(n*37%900) + 2.5,
		"start_time": time.Date(2026, 1, 1, 23, 59, 40, 0, time.UTC).Add(time.Duration(n) * 480 * time.Millisecond).Format("15:04:05.000000"),
	}
	id, name, function := fmt.Sprintf("app-config-%d", n), fmt.Sprintf("/etc/app/conf.d/%d.conf", n), "file_managed"
	s["comment"] = fmt.Sprintf("File %s is in the correct state", name)
	switch outcome {
	case "failed":
		id, name, function = fmt.Sprintf("app-service-%d", n), "app", "service_running"
		s["result"], s["comment"] = false, "Job for app.service failed because the control process exited with error code.\nSee \"systemctl status app.service\" and \"journalctl -xe\" for details."
		s["changes"] = map[string]any{"pid": 6221, "retcode": 3, "stderr": "app: cannot bind 0.0.0.0:8080: address in use", "stdout": ""}
	case "skipped":
		s["result"], s["comment"], s["duration"] = false, "One or more requisite failed: web.nginx.app-service-40", 0.004
	case "changed":
		s["comment"] = fmt.Sprintf("File %s updated", name)
		s["changes"] = map[string]any{"diff": "--- \n+++ \n@@ -1,4 +1,4 @@\n [server]\n-port = 8080\n+port = 8081\n workers = 4\n", "mode": "0644"}
		s["warnings"] = []string{"The 'contents' option is deprecated."}
		if n%2 == 0 {
			id, name, function = fmt.Sprintf("packages-%d", n), "nginx", "pkg_installed"
			s["comment"], s["changes"], s["warnings"] = "1 package was installed", map[string]any{"nginx": map[string]string{"old": "", "new": "1.22.1-9"}}, nil
		}
	case "pending":
		s["result"], s["comment"] = nil, "The file is set to be changed"
	}
	s["__id__"], s["name"] = id, name
	b, _ := json.Marshal(s)
	module, f, _ := strings.Cut(function, "_")
	return fmt.Sprintf("%q: %s", module+"_|-"+id+"_|-"+name+"_|-"+f, b)
}

// minion returns the result of a minion with n states.
func minion(states int, outcomes map[int]string) json.RawMessage {
	var all []string
	for n := range states {
		all = append(all, state(n, outcomes[n]))
	}
	return json.RawMessage(`{"jid": "20261123114649295956", "retcode": 0, "ret": {` + strings.Join(all, ", ") + `}}`)
}

// scenes are the reports that the tests open.
var scenes = map[string]func(t *testing.T) *report.Report{
	"failed":    failed,
	"succeeded": succeeded,
	"unreachable": func(*testing.T) *report.Report {
		rep := report.New(report.Request{Server: "https://salt.example.com:4510/", Project: "shop", Deployment: "prod", Highstate: true})
		rep.Targets[0].Finish(&client.TransportError{Op: "deploy", Err: errors.New("dial tcp 192.0.2.7:4510: connect: connection refused")})
		rep.Finish()
		return rep
	},
	"large": func(t *testing.T) *report.Report {
		rep, target := newReport(t)
		for i := range 200 {
			outcomes := map[int]string{5: "changed", 6: "changed", 33: "changed", 71: "changed"}
			if i%20 == 7 {
				outcomes[60], outcomes[61] = "failed", "skipped"
			}
			id := fmt.Sprintf("web%03d.example.com", i+1)
			send(t, target, client.Event{Name: client.HighstateUpdate, Minion: id, Msg: "Minion " + id + " finished", Result: minion(100, outcomes), Time: target.Started.Add(50*time.Second + time.Duration(i)*130*time.Millisecond)})
		}
		return finish(t, rep, nil)
	},
	"alike": func(t *testing.T) *report.Report {
		rep, target := newReport(t)
		for i := range 40 {
			outcomes := map[int]string{i: "changed", i + 1: "changed"}
			if i%3 > 0 {
				outcomes[40], outcomes[41], outcomes[43] = "failed", "skipped", "skipped"
			}
			id, result := fmt.Sprintf("web%d.example.com", i+1), minion(60, outcomes)
			if i%20 == 1 {
				result = json.RawMessage(`{"failed": true}`)
			}
			send(t, target, client.Event{Name: client.HighstateUpdate, Minion: id, Result: result, Time: target.Started.Add(time.Duration(31+i) * time.Second)})
		}
		return finish(t, rep, nil)
	},
	"hostile": func(t *testing.T) *report.Report {
		rep, target := newReport(t)
		target.Server, target.Saltenv = hostile[0], hostile[2]
		for _, text := range hostile {
			q, _ := json.Marshal(text)
			target.Warn(text)
			send(t, target, client.Event{Name: client.HighstateStart, Msg: text, Minions: []string{"silent " + text}})
			send(t, target, client.Event{Name: client.HighstateUpdate, Minion: text, Msg: text, Result: json.RawMessage(fmt.Sprintf(
				`{"ret": {"m_|-x_|-%[2]d_|-f": {"__id__": %[1]s, "name": %[1]s, "result": false, "comment": %[1]s, "__sls__": %[1]s, "start_time": %[1]s, "changes": {%[1]s: %[1]s, "diff": %[1]s}, "warnings": [%[1]s]}}}`, q, len(text)))})
			send(t, target, client.Event{Name: client.HighstateUpdate, Minion: "uncompiled " + text, Result: json.RawMessage(fmt.Sprintf(`{"ret": [%s], "retcode": 1}`, q))})
		}
		return finish(t, rep, nil)
	},
	"several": func(t *testing.T) *report.Report {
		rep, _ := newReport(t)
		rep.Targets[0].Finish(report.ErrCut)
		rep.Targets = append(rep.Targets, succeeded(t).Targets[0], failed(t).Targets[0])
		rep.Finish()
		return rep
	},
	"dry run": func(*testing.T) *report.Report {
		rep := report.New(report.Request{Project: "shop", Deployment: "prod", DryRun: true})
		rep.Targets[0].Bundle = report.Bundle{
			Digest: "sha256:17e6", Size: 2048, Entries: 2, Contents: []report.Content{{Name: "web.sls", Size: 120}, {Name: "run", Size: 99, Executable: true}},
		}
		rep.Targets[0].Finish(nil)
		rep.Finish()
		return rep
	},
}

func failed(t *testing.T) *report.Report {
	rep, target := newReport(t)
	target.Warn("the bundle has no .gitcommit: this is no git repository")
	ids := []string{"web1.example.com", "web2.example.com", "db1.example.com", "cache1.example.com", "batch1.example.com"}
	send(t, target, client.Event{Name: client.HighstateStart, Minions: append(ids, "old7.example.com"), Msg: "Highstating 6 minions: " + strings.Join(ids, ", ")})
	for i, result := range []json.RawMessage{
		minion(60, map[int]string{3: "changed", 4: "changed", 40: "failed", 41: "skipped", 50: "changed"}),
		minion(60, map[int]string{3: "changed", 4: "changed", 12: "pending"}),
		minion(25, nil),
		json.RawMessage(`{"ret": ["Rendering SLS 'shop/prod:cache' failed: Jinja variable 'undefined_thing' is undefined; line 1\n\n---\n{{ undefined_thing.foo }}    <======================\n---"], "retcode": 1}`),
		json.RawMessage(`{"failed": true}`),
	} {
		send(t, target, client.Event{Name: client.HighstateUpdate, Minion: ids[i], Msg: "Minion " + ids[i] + " finished", Result: result, Time: target.Started.Add(time.Duration(31+2*i) * time.Second)})
	}
	return finish(t, rep, nil)
}

func succeeded(t *testing.T) *report.Report {
	rep, target := newReport(t)
	for i := range 8 {
		id := fmt.Sprintf("web%d", i+1)
		send(t, target, client.Event{Name: client.HighstateUpdate, Minion: id, Msg: "Minion " + id + " finished", Result: minion(30+2*i, map[int]string{i: "changed", 2 * i: "changed"}), Time: target.Started.Add(time.Duration(20+i) * time.Second)})
	}
	return finish(t, rep, nil)
}

// pageOf writes the page of a scene and returns its URL.
func pageOf(t *testing.T, name string) string {
	t.Helper()
	file := filepath.Join(directory(t), name+".html")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	rep := scenes[name](t)
	if err := errors.Join(view.HTML(f, rep), f.Close()); err != nil {
		t.Fatal(err)
	}
	if os.Getenv("VIEWS") != "" {
		for ext, write := range map[string]func(io.Writer, *report.Report) error{".md": view.Markdown, ".xml": view.JUnit} {
			out, err := os.Create(filepath.Join(directory(t), name+ext))
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(write(out, rep), out.Close()); err != nil {
				t.Fatal(err)
			}
		}
	}
	return "file://" + file
}

// directory returns the directory for pages and pictures.
func directory(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("VIEWS"); dir != "" {
		return dir
	}
	return t.TempDir()
}
