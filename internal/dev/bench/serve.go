package bench

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
)

// served is a running server.
type served struct {
	url, token string
	file       string // its certificate, or the list of targets
	bytes      int64  // of the results that it sends
	stop       func()
}

func (s served) env() []string { return []string{"SPIRO_URL=" + s.url, "SPIRO_TOKEN=" + s.token} }

// discarding serves over TLS, and forgets what it is sent.
func discarding(file string) (served, error) {
	server, err := spirotest.Start(spirotest.Options{TLS: true, Discard: true})
	if err != nil {
		return served{}, err
	}
	return served{
		url: server.URL(), token: server.Token(time.Hour), file: file, stop: func() { _ = server.Close() },
	}, os.WriteFile(file, server.CertPEM(), 0o600)
}

// serve takes any bundle and answers with the events of a highstate of minions: send
// sends those in the middle.
func serve(minions []string, send func(http.ResponseWriter)) served {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, "Auth OK")
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprintf(w, "event: deploy-bundle\ndata: {\"msg\": \"Deploying\"}\n\nevent: highstate-calc\ndata: {\"msg\": \"Calculating\"}\n\n"+
			"event: highstate-start\ndata: {\"msg\": \"Highstating %d minions\", \"minions\": [%s]}\n\n", len(minions), strings.Join(minions, ", "))
		_ = http.NewResponseController(w).Flush()
		send(w)
		fmt.Fprint(w, "event: highstate-finish\ndata: {\"msg\": \"Done\"}\n\n")
	}))
	return served{url: server.URL + "/", token: "a-token-for-benchmarks", stop: server.Close}
}

// fleetOf20 serves 20 targets, whose minions take from 1.05 to 2 seconds, and lists
// them in a file. The URL is that of the slowest.
func fleetOf20(file string) (served, error) {
	var list strings.Builder
	var all []served
	result := oneResult(`"web1"`)
	for i := range 20 {
		s := serve([]string{`"web1"`}, func(w http.ResponseWriter) {
			time.Sleep(time.Second + time.Duration(i+1)*50*time.Millisecond)
			_, _ = io.WriteString(w, result)
		})
		all = append(all, s)
		fmt.Fprintf(&list, "- {name: site%d, server: %q}\n", i, s.url)
	}
	last := all[len(all)-1]
	last.file = file
	last.stop = func() {
		for _, s := range all {
			s.stop()
		}
	}
	return last, os.WriteFile(file, []byte(list.String()), 0o600)
}

// sendingTicks sends an event every few milliseconds that says when it was sent.
func sendingTicks(string) (served, error) {
	return serve(nil, func(w http.ResponseWriter) {
		for range 1000 {
			fmt.Fprintf(w, "event: tick\ndata: {\"msg\": \"sent at %d\"}\n\n", time.Now().UnixNano())
			_ = http.NewResponseController(w).Flush()
			time.Sleep(2 * time.Millisecond)
		}
	}), nil
}

// sendingResults sends the results of 1,000 minions as fast as they are taken.
func sendingResults(string) (served, error) {
	var minions []string
	for i := range 1000 {
		minions = append(minions, fmt.Sprintf(`"web%04d"`, i))
	}
	before, after, _ := strings.Cut(oneResult("MINION"), "MINION")
	s := serve(minions, func(w http.ResponseWriter) {
		for _, id := range minions {
			_, _ = io.WriteString(w, before+id)
			_, _ = io.WriteString(w, after)
		}
	})
	s.bytes = int64(len(minions) * len(before+after))
	return s, nil
}

// oneResult is an event with 1 MiB of states as Salt returns them. One in a hundred has
// changed something.
func oneResult(minion string) string {
	var b strings.Builder
	b.WriteString("event: highstate-update\ndata: " + `{"msg": "Minion finished", "minion": ` + minion +
		`, "result": {"jid": "20261123114317105537", "retcode": 0, "out": "highstate", "ret": {`)
	for i := 0; b.Len() < 1<<20; i++ {
		if i > 0 {
			b.WriteString(", ")
		}
		changes, comment := "{}", fmt.Sprintf("File /etc/shop/site-%d.conf is in the correct state", i)
		if i%100 == 0 {
			changes = `{"diff": "--- \n+++ \n@@ -1,3 +1,3 @@\n server {\n-    listen 80;\n+    listen 443 ssl;\n }\n"}`
			comment = fmt.Sprintf("File /etc/shop/site-%d.conf updated", i)
		}
		fmt.Fprintf(&b, `"file_|-site-%[1]d_|-/etc/shop/site-%[1]d.conf_|-managed": {"changes": %[2]s, "comment": "%[3]s", "name": "/etc/shop/site-%[1]d.conf", `+
			`"result": true, "__sls__": "prod:web.sites", "__run_num__": %[1]d, "start_time": "11:43:%02[4]d.105537", "duration": %[5]d.%03[6]d, "__id__": "site-%[1]d"}`,
			i, changes, comment, i%60, i%50, i%1000)
	}
	b.WriteString("}}}\n\n")
	return b.String()
}
