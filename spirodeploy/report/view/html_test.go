package view_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/spirostack/spirodeploy/internal/dev/runs"
	"github.com/spirostack/spirodeploy/internal/dev/streams"
	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// webPage is a page as a browser reads it.
type webPage struct {
	policy, title string
	text          string   // what is shown, without scripts and style
	tags          []string // the elements, and their attributes' names
	data          []pageData
	own           []string // style and script
}

// pageData is the data that page.js reads.
type pageData struct {
	Total   int
	Left    string
	Minions []string
	States  [][]any
}

func parsePage(t testing.TB, page string) webPage {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var w webPage
	var text strings.Builder
	for n := range root.Descendants() {
		inside := n.Parent.Data
		switch {
		case n.Type == html.ElementNode:
			tag := n.Data
			for _, a := range n.Attr {
				tag += " " + a.Key
				if a.Key == "content" && strings.HasPrefix(a.Val, "default-src") {
					w.policy = a.Val
				}
			}
			w.tags = append(w.tags, tag)
		case n.Type != html.TextNode:
		case inside == "script" && len(n.Parent.Attr) == 1:
			var d pageData
			if err := json.Unmarshal([]byte(n.Data), &d); err != nil {
				t.Fatal(err)
			}
			w.data = append(w.data, d)
		case inside == "script", inside == "style":
			w.own = append(w.own, n.Data)
		case inside == "title":
			w.title = n.Data
		default:
			text.WriteString(n.Data)
		}
	}
	w.text = text.String()
	return w
}

// TestHTMLRecorded: the page and the text say the same.
func TestHTMLRecorded(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][]string{
		"ok":                    {"Deployed", "shop/prod deployed: 1 minion, 2 states, 2 changed", "sha256:0123", "web1", "succeeded"},
		"states-failed":         {"Minions failed", "web1", "One or more requisite failed: app.bad", `Command "echo oops >&2; exit 3" run`, "stderr: oops", "3 failed"},
		"render-failed":         {"Minions failed", "did not compile", "Jinja variable 'undefined_thing' is undefined; line 1"},
		"minion-not-responding": {"Minions failed", "db1", "did not answer"},
		"no-minions":            {"Deployed", "no minion is concerned"},
		"no-highstate":          {"Deployed", "without a highstate"},
		"exception":             {"The server failed", "FileExistsError: [Errno 17]"},
	} {
		rep := runs.Fold(streams.Read(name), name != "no-highstate", nil)
		page := parsePage(t, runs.Show(t, rep, "html"))
		text := strings.Join(strings.Fields(page.text), " ")
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s: there is no %q in %s", name, w, text)
			}
		}
		for _, event := range rep.Targets[0].Events {
			if !strings.Contains(text, event.Name) {
				t.Errorf("%s: there is no event %s", name, event.Name)
			}
		}
		states := 0
		for _, m := range rep.Targets[0].Minions {
			states += m.Counts.Total
		}
		if got := len(page.data); got > 1 || got == 0 && states > 0 || got == 1 && (len(page.data[0].States) != states || page.data[0].Total != states) {
			t.Errorf("%s: %d parts with data, want one with %d states", name, got, states)
		}
	}
}

// TestHTMLPolicy: the policy allows the style and the script of the page, and nothing
// else.
func TestHTMLPolicy(t *testing.T) {
	t.Parallel()
	page := parsePage(t, runs.Show(t, hostile(t), "html"))
	if len(page.own) != 2 {
		t.Fatalf("there are %d styles and scripts", len(page.own))
	}
	want := "default-src 'none'"
	for i, of := range []string{"style-src", "script-src"} {
		sum := sha256.Sum256([]byte(page.own[i]))
		want += "; " + of + " 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	if want += "; base-uri 'none'; form-action 'none'"; page.policy != want {
		t.Errorf("the policy is\n%s, want\n%s", page.policy, want)
	}
}

// TestHTMLHostile: no text becomes an element, and every text is shown.
func TestHTMLHostile(t *testing.T) {
	t.Parallel()
	page := runs.Show(t, hostile(t), "html")
	isOurs(t, page)
	for _, text := range nasty[:8] {
		if shown := sanitize.Line(text); !strings.Contains(parsePage(t, page).text, shown) {
			t.Errorf("%q is not shown", shown)
		}
	}
}

// isOurs fails if a page contains elements or scripts that it should not.
func isOurs(t testing.TB, page string) {
	t.Helper()
	if sanitize.Text(page) != page {
		t.Error("there are characters that act")
	}
	w := parsePage(t, page)
	known := map[string]bool{}
	for tag := range strings.SplitSeq(`html lang,head,meta charset,meta http-equiv content,meta name content,title,style,body,a class href,a href,main id,a hidden href,
section class id aria-labelledby,header class,span class aria-hidden,div,p class,bdi,h1 id,dl class,dt,dd,dd class,div class,section class aria-label,h2,ul,li,ul class aria-label,li class,b,
svg class viewbox preserveaspectratio aria-hidden,svg class viewBox preserveAspectRatio aria-hidden,rect class x width height,nav class aria-label,section class id,article,h3,span class,pre class,details class open,details class,summary,bdi class,
h4,pre,section class id hidden,p class role hidden,div class tabindex role aria-label,table,thead,tr,th scope,th scope class,tbody,tr class,td,td class,br,div class role hidden,label class,input type placeholder autocomplete,
label,select,option value,fieldset,legend,input type value checked,p class role,ol class,script type,details,ol,li,time,section hidden class,footer,script`, ",") {
		known[strings.TrimSpace(tag)] = true
	}
	for _, tag := range w.tags {
		if !known[tag] {
			t.Errorf("there is a <%s>", tag)
		}
	}
}

// TestHTMLBounded: a page of a large run prefers what failed, and says what it leaves
// out.
func TestHTMLBounded(t *testing.T) {
	t.Parallel()
	rep := runs.Many(t, 300, 60<<10)
	defer rep.Close()
	page := runs.Show(t, rep, "html")
	if len(page) > 10<<20 || len(page) < 6<<20 {
		t.Errorf("the page has %d bytes", len(page))
	}
	d := parsePage(t, page).data[0]
	of := map[any]int{}
	for _, s := range d.States {
		of[s[2]]++
	}
	total := 0
	for _, m := range rep.Targets[0].Minions {
		total += m.Counts.Total
	}
	if of["f"] != 30 || of["c"] != 600 || of["o"] == 0 || len(d.States) == total || d.Total != total {
		t.Errorf("it has %v of %d states", of, total)
	}
	if want := "Left out: " + human.Thousands(total-len(d.States)) + " states"; !strings.HasPrefix(d.Left, want) {
		t.Errorf("it says %q, want %q", d.Left, want)
	}
}

// TestHTMLFailedFirst: failed states displace changed ones.
func TestHTMLFailedFirst(t *testing.T) {
	t.Parallel()
	rep := report.New(report.Request{Project: "shop", Deployment: "prod", Highstate: true})
	defer rep.Close()
	for i := range 30 {
		var b strings.Builder
		for n := range 100 {
			fmt.Fprintf(&b, `"a_|-s%d_|-n_|-f": {"result": true, "changes": {"a": 1}, "comment": "%s"}, `, n, strings.Repeat("x", 4000))
		}
		raw := json.RawMessage(`{"ret": {` + b.String() + `"a_|-bad_|-n_|-f": {"result": false}}}`)
		runs.Add(t, rep.Targets[0], client.Event{Name: client.HighstateUpdate, Minion: fmt.Sprint("web", i), Result: raw})
	}
	rep.Targets[0].Finish(nil)
	rep.Finish()
	failed := map[any]bool{}
	d := parsePage(t, runs.Show(t, rep, "html")).data[0]
	for _, s := range d.States {
		if s[2] == "f" {
			failed[s[0]] = true
		}
	}
	if len(failed) != 30 || len(d.States) < 1000 || len(d.States) > 2000 {
		t.Errorf("of 30 minions %d have the state that failed, among %d states", len(failed), len(d.States))
	}
}

// TestHTMLSeveral: each target has a section, and they share the room.
func TestHTMLSeveral(t *testing.T) {
	t.Parallel()
	rep := runs.Fold(streams.Read("ok"), true, nil)
	rep.Targets = append(rep.Targets, runs.Fold(streams.Read("states-failed"), true, nil).Targets[0], runs.Fold(nil, true, &report.UnsentError{Err: errors.New("bad options")}).Targets[0])
	rep.Finish()
	page := parsePage(t, runs.Show(t, rep, "html"))
	if len(page.data) != 2 || !strings.Contains(page.text, "bad options") || page.title != "3 deployments: not deployed" {
		t.Errorf("%q has %d parts with data", page.title, len(page.data))
	}
}

// TestHTMLTimeline: states are placed on our clock, whatever the clock of the minion
// says.
func TestHTMLTimeline(t *testing.T) {
	t.Parallel()
	const end = 60_000.0 // when the result arrived
	for name, tt := range map[string]struct {
		starts []string // each lasts a second
		want   []any
	}{
		"as they come":    {[]string{"10:00:00.000000", "10:00:02.500000"}, []any{end - 3500, end - 1000}},
		"another clock":   {[]string{"03:12:00.000000", "03:12:01.000000"}, []any{end - 2000, end - 1000}},
		"over midnight":   {[]string{"23:59:59.000000", "00:00:01.000000", "00:00:02"}, []any{end - 4000, end - 2000, end - 1000}},
		"put back":        {[]string{"10:00:05", "10:00:01"}, []any{end - 1000, end - 5000}},
		"none":            {[]string{"", "", ""}, []any{end - 3000, end - 2000, end - 1000}},
		"one is missing":  {[]string{"10:00:00", "", "10:00:05"}, []any{end - 6000, end - 5000, end - 1000}},
		"the first are":   {[]string{"", "what", "10:00:05"}, []any{end - 3000, end - 2000, end - 1000}},
		"garbled":         {[]string{"10:00:00", "25:61:00", "-1:00:00"}, []any{end - 3000, end - 2000, end - 1000}},
		"parallel states": {[]string{"10:00:00", "10:00:00.5", "10:00:00.25"}, []any{end - 1500, end - 1000, end - 1250}},
	} {
		rep := report.New(report.Request{Project: "shop", Deployment: "prod", Highstate: true})
		var states []string
		for i, start := range tt.starts {
			states = append(states, fmt.Sprintf(`"a_|-s%d_|-n_|-f": {"result": true, "start_time": %q, "duration": 1000, "__run_num__": %d}`, i, start, i))
		}
		raw := json.RawMessage(`{"ret": {` + strings.Join(states, ", ") + `}}`)
		runs.Add(t, rep.Targets[0], client.Event{Name: client.HighstateUpdate, Minion: "web1", Time: rep.Targets[0].Started.Add(time.Minute), Result: raw})
		rep.Targets[0].Finish(nil)
		rep.Finish()
		for i, s := range parsePage(t, runs.Show(t, rep, "html")).data[0].States {
			if s[6] != tt.want[i] {
				t.Errorf("%s: state %d at %v, want %v", name, i, s[6], tt.want[i])
			}
		}
	}
}

// TestViewsFail: every view returns the error of its writer.
func TestViewsFail(t *testing.T) {
	t.Parallel()
	rep := runs.Fold(streams.Read("states-failed"), true, nil)
	for format, write := range runs.Writers {
		if err := write(full{}, rep); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("%s: %v", format, err)
		}
	}
}

// full has no room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

// FuzzPages: no text of a server or a project leaves its place.
func FuzzPages(f *testing.F) {
	for _, text := range nasty {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if text == "" {
			return // it would be the id of a minion, which the client refuses
		}
		rep := hostile(t, text)
		isOurs(t, runs.Show(t, rep, "html"))
		if red(suites(t, runs.Show(t, rep, "junit"))) == 0 {
			t.Error("no test failed")
		}
		inert(t, runs.Show(t, rep, "markdown"))
		back, err := report.Read(strings.NewReader(runs.Show(t, rep, "json")))
		if err != nil {
			t.Fatal(err)
		}
		again, err := report.Read(strings.NewReader(runs.Show(t, back, "json")))
		if err != nil || runs.Show(t, again, "html") != runs.Show(t, back, "html") || runs.Show(t, again, "json") != runs.Show(t, back, "json") {
			t.Errorf("read again it differs: %v", err)
		}
	})
}

// BenchmarkPages writes a run of 200 minions with 100 states each.
func BenchmarkPages(b *testing.B) {
	rep := runs.Many(b, 200, 100*350)
	defer rep.Close()
	for _, format := range []string{"html", "junit", "markdown"} {
		b.Run(format, func(b *testing.B) {
			b.ReportAllocs()
			var out bytes.Buffer
			for b.Loop() {
				out.Reset()
				if err := runs.Writers[format](&out, rep); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(out.Len())/(1<<20), "MiB")
		})
	}
}
