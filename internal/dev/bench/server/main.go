// Command server is what the benchmarks deploy to: server discard|events|results|fleet
// FILE. It tells where it is in a line of JSON, and runs until it is killed. FILE is
// for its certificate, or for a list of the fleet's targets.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
)

func main() {
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "server:", err)
		os.Exit(1)
	}
}

func run(mode, cert string) error {
	if mode == "discard" {
		server, err := spirotest.Start(spirotest.Options{TLS: true, Discard: true})
		if err != nil {
			return err
		}
		if err := os.WriteFile(cert, server.CertPEM(), 0o600); err != nil {
			return err
		}
		tell(server.URL(), server.Token(time.Hour), cert, 0)
		select {}
	}
	if mode == "fleet" {
		return fleet(cert)
	}
	send, size := events, int64(0)
	if mode == "results" {
		body := oneResult()
		send, size = func(w http.ResponseWriter) { results(w, body) }, minions*int64(len(body))
	}
	l, err := listen()
	if err != nil {
		return err
	}
	tell("http://"+l.Addr().String()+"/", benchToken, "", size)
	return serve(l, send)
}

const benchToken = "a-token-for-benchmarks"

func listen() (net.Listener, error) {
	return net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it takes no time
}

// serve takes any bundle, and answers with what send sends.
func serve(l net.Listener, send func(http.ResponseWriter)) error {
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, "Auth OK")
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		send(w)
	})}
	return server.Serve(l)
}

// fleet serves 20 targets, whose minions take from 1.05 to 2 seconds, and lists
// them in a file. It tells where the slowest is.
func fleet(list string) error {
	const servers = 20
	var targets strings.Builder
	failed := make(chan error)
	url := ""
	for i := range servers {
		l, err := listen()
		if err != nil {
			return err
		}
		url = "http://" + l.Addr().String() + "/"
		fmt.Fprintf(&targets, "- {name: site%d, server: %q}\n", i, url)
		go func() {
			failed <- serve(l, func(w http.ResponseWriter) { oneMinion(w, time.Second+time.Duration(i+1)*50*time.Millisecond) })
		}()
	}
	if err := os.WriteFile(list, []byte(targets.String()), 0o600); err != nil {
		return err
	}
	tell(url, benchToken, list, 0)
	return <-failed
}

// oneMinion plays a minion that takes so long.
func oneMinion(w http.ResponseWriter, takes time.Duration) {
	out := http.NewResponseController(w)
	fmt.Fprint(w, "event: deploy-bundle\ndata: {\"msg\": \"Deploying\"}\n\nevent: highstate-calc\ndata: {\"msg\": \"Calculating\"}\n\n"+
		"event: highstate-start\ndata: {\"msg\": \"One minion\", \"minions\": [\"web1\"]}\n\n")
	_ = out.Flush()
	time.Sleep(takes)
	fmt.Fprint(w, `event: highstate-update`+"\n"+`data: {"msg": "Minion finished", "minion": "web1"`+oneResult()+
		"event: highstate-finish\ndata: {\"msg\": \"Done\"}\n\n")
}

// tell writes where the server is; its reader may go away.
func tell(url, token, cert string, size int64) {
	_ = json.NewEncoder(os.Stdout).Encode(map[string]any{"URL": url, "Token": token, "Cert": cert, "Bytes": size})
}

// events sends an event every few milliseconds that says when it was sent.
func events(w http.ResponseWriter) {
	out := http.NewResponseController(w)
	fmt.Fprint(w, "event: deploy-bundle\ndata: {\"msg\": \"Deploying\"}\n\nevent: highstate-calc\ndata: {\"msg\": \"Calculating\"}\n\nevent: highstate-start\ndata: {\"msg\": \"No minions\", \"minions\": []}\n\n")
	for range 1000 {
		fmt.Fprintf(w, "event: tick\ndata: {\"msg\": \"sent at %d\"}\n\n", time.Now().UnixNano())
		_ = out.Flush()
		time.Sleep(2 * time.Millisecond)
	}
	fmt.Fprint(w, "event: highstate-finish\ndata: {\"msg\": \"Done\"}\n\n")
}

const minions = 1000

// oneResult is what comes after a minion's id: 1 MiB of states as Salt returns
// them. One in a hundred has changed something.
func oneResult() string {
	var b strings.Builder
	b.WriteString(`, "result": {"jid": "20261123114317105537", "retcode": 0, "out": "highstate", "ret": {`)
	for i := 0; b.Len() < 1<<20; i++ {
		if i > 0 {
			b.WriteString(", ")
		}
		changes, comment := "{}", fmt.Sprintf("File /etc/shop/site-%d.conf is in the correct state", i)
		if i%100 == 0 {
			changes = `{"diff": "--- \n+++ \n@@ -1,3 +1,3 @@\n server {\n-    listen 80;\n+    listen 443 ssl;\n }\n"}`
			comment = fmt.Sprintf("File /etc/shop/site-%d.conf updated", i)
		}
		fmt.Fprintf(&b, `"file_|-site-%d_|-/etc/shop/site-%d.conf_|-managed": {"changes": %s, "comment": "%s", "name": "/etc/shop/site-%d.conf", `+
			`"result": true, "__sls__": "prod:web.sites", "__run_num__": %d, "start_time": "11:43:%02d.105537", "duration": %d.%03d, "__id__": "site-%d"}`,
			i, i, changes, comment, i, i, i%60, i%50, i%1000, i)
	}
	b.WriteString("}}}\n\n")
	return b.String()
}

// results sends the results of all minions as fast as they are taken.
func results(w http.ResponseWriter, body string) {
	ids := make([]string, minions)
	for i := range ids {
		ids[i] = fmt.Sprintf("%q", fmt.Sprintf("web%04d", i))
	}
	fmt.Fprintf(w, "event: deploy-bundle\ndata: {\"msg\": \"Deploying\"}\n\nevent: highstate-calc\ndata: {\"msg\": \"Calculating\"}\n\n"+
		"event: highstate-start\ndata: {\"msg\": \"Highstating %d minions\", \"minions\": [%s]}\n\n", minions, strings.Join(ids, ", "))
	for _, id := range ids {
		_, _ = io.WriteString(w, `event: highstate-update`+"\n"+`data: {"msg": "Minion finished", "minion": `+id)
		_, _ = io.WriteString(w, body)
	}
	fmt.Fprint(w, "event: highstate-finish\ndata: {\"msg\": \"Done\"}\n\n")
}
