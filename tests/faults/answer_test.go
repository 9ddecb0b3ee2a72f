package faults_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
)

// stream is the head of an answer with a stream of events.
const stream = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"

func event(name, members string) string {
	return fmt.Sprintf("event: %s\ndata: {%s}\n\n", name, members)
}

// begun are the events before minions begin to work.
var begun = event("deploy-bundle", `"msg": "Deploying bundle"`) + event("highstate-calc", `"msg": "Calculating"`) +
	event("highstate-start", `"msg": "Highstating 2 minions", "minions": ["web1", "web2"]`)

var (
	result   = event("highstate-update", `"msg": "done", "minion": "web1", "result": {"jid": "20261123114317105537", "retcode": 0, "ret": {"test_|-a_|-a_|-nop": {"result": true, "comment": "", "changes": {}}}}`)
	second   = strings.ReplaceAll(result, "web1", "web2")
	finished = event("highstate-finish", `"msg": "Highstate complete"`)
)

// chunk returns bytes as a chunk of an answer.
func chunk(s string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(s), s) }

// answers are the faults after the server has the whole bundle.
var answers = []fault{
	{name: "the connection is cut before an answer", breaks: says("", cut)},
	{name: "the connection is cut in the header of the answer", breaks: says(stream[:40], cut)},
	{name: "the server never answers", breaks: func(s *scene) {
		s.answer(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		})
		s.opts.Server.AnswerTimeout = soon
	}},
	{name: "a proxy in between could not reach the server (502)", breaks: refuses(http.StatusBadGateway, "")},
	{name: "a proxy on the way lost patience (504)", breaks: refuses(http.StatusGatewayTimeout, "")},
	{name: "400: no tar, or two of them", breaks: refuses(http.StatusBadRequest, "<html><title>400: Bad Request</title></html>")},
	{name: "401: the token expired on the way", breaks: refuses(http.StatusUnauthorized, "<html><title>401: Unauthorized</title></html>")},
	{name: "403: the token is not for this project", breaks: refuses(http.StatusForbidden, "<html><title>403: Forbidden</title></html>")},
	{name: "403, and the page never comes", breaks: func(s *scene) {
		s.answer(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Length", "100")
			w.WriteHeader(http.StatusForbidden)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		})
		s.opts.Server.ConnectTimeout = soon
	}},
	{name: "500: SpiroFS fails", breaks: refuses(http.StatusInternalServerError, "<html><title>500: Internal Server Error</title></html>")},
	{name: "200 with a page", breaks: refuses(http.StatusOK, "<html><title>Welcome</title></html>")},
	{name: "202, as no SpiroFS says", breaks: refuses(http.StatusAccepted, "")},
	{name: "a redirect, after the bundle", breaks: func(s *scene) {
		s.answer(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			http.Redirect(w, r, "https://salt.example.com/deploy", http.StatusPermanentRedirect)
		})
	}},
	{name: "the connection is cut before the first event", breaks: says(stream, cut)},
	{name: "the connection is cut in an event", breaks: says(stream+chunk(begun+result[:len(result)/2]), cut)},
	{name: "the connection is cut between events", breaks: says(stream+chunk(begun+result), cut)},
	{name: "the connection is cut before a minion reported", breaks: says(stream+chunk(begun), cut)},
	{name: "the connection is cut after the last event", breaks: says(stream+chunk(begun+result+second+finished), cut)},
	{name: "the stream ends too early", breaks: says(stream+chunk(begun+result)+chunk(""), nil)},
	{name: "the stream ends with no event at all", breaks: says(stream+chunk(""), nil)},
	{name: "the connection is cut, without a highstate", breaks: func(s *scene) {
		s.opts.NoHighstate = true
		says(stream+chunk(event("deploy-bundle", `"msg": "Deploying bundle"`)), cut)(s)
	}},
	{name: "an event is larger than is accepted (16 MiB)", breaks: says(stream+chunk(begun+"data: "+strings.Repeat("x", 16<<20)+"\n\n"), nil)},
	{name: "an event is malformed", breaks: says(stream+chunk(begun+event("highstate-update", `"minion": 1`)), nil)},
	{name: "the stream ends in an event, without a highstate", breaks: func(s *scene) {
		s.opts.NoHighstate = true
		says(stream+chunk(event("deploy-bundle", `"msg": "Deploying bundle"`)+"event: exception\ndata: {}\n")+chunk(""), nil)(s)
	}},
	{name: "an event has no data", breaks: says(stream+chunk(begun+result+second+"event: highstate-finish\n\n")+chunk(""), nil)},
	{name: "the end of the answer is marked neither by HTTP nor by TLS", over: "https", breaks: func(s *scene) {
		s.opts.NoHighstate = true
		says(strings.Replace(stream, "Transfer-Encoding: chunked\r\n", "", 1)+event("deploy-bundle", `"msg": "Deploying bundle"`), cut)(s)
	}},
	{name: "the server keeps the connection open after the last event", breaks: func(s *scene) {
		s.answer(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			conn := take(s.t, w)
			_, _ = io.WriteString(conn, stream+chunk(begun+result+second+finished))
			_, _ = io.Copy(io.Discard, conn) // until the client goes away
			_ = conn.Close()
		})
	}},
	{name: "the answer is garbled", breaks: says(stream+"not a length\r\n", cut)},
	{name: "the deployment fails in the server (`exception`)", breaks: says(stream+chunk(event("deploy-bundle", `"msg": "Deploying bundle"`)+event("exception", `"msg": "FileExistsError: x"`))+chunk(""), nil)},
	{name: "the highstate fails in the server (`exception`)", breaks: says(stream+chunk(begun+event("exception", `"msg": "SaltReqTimeoutError: Message timed out"`))+chunk(""), nil)},
	{name: "minions work for longer than the server may be silent before", breaks: func(s *scene) {
		s.serve(spirotest.Minion{ID: "web1", Delay: 4 * soon})
		s.opts.Server.AnswerTimeout = soon
	}},
	{name: "nothing is heard for 30 s, then all is well", over: "https", breaks: func(s *scene) { s.serve(spirotest.Minion{ID: "web1", Delay: 30 * time.Second}) }},
	{name: "`--timeout` passes in the highstate", breaks: func(s *scene) { s.asleep(report.ErrTimeout) }},
	{name: "Ctrl-C before the first event", breaks: func(s *scene) {
		s.answer(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			s.cancel(report.ErrInterrupted)
			<-r.Context().Done()
		})
	}},
	{name: "Ctrl-C in the highstate", breaks: func(s *scene) { s.asleep(report.ErrInterrupted) }},
	{name: "Ctrl-C in the highstate, when a minion has reported", breaks: func(s *scene) {
		says(stream+chunk(begun+result), func() { <-s.ctx.Done() })(s)
		s.awaited, s.reason = client.HighstateUpdate, report.ErrInterrupted
	}},
}

// cut makes a server cut the connection.
func cut() {}

// says makes a server take a bundle and write an answer. With a function it then calls
// that and cuts the connection; without one it closes the connection.
func says(answer string, then func()) func(*scene) {
	return func(s *scene) {
		s.answer(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			conn := take(s.t, w)
			_, _ = io.WriteString(conn, answer)
			if then == nil {
				_ = conn.Close()
				return
			}
			then()
			// The answer must arrive before the connection is reset.
			time.Sleep(soon)
			reset(conn)
		})
	}
}

// refuses makes a server take a bundle and answer with a page.
func refuses(status int, page string) func(*scene) {
	return func(s *scene) {
		s.answer(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, page)
		})
	}
}

// asleep ends the run for a reason while the run waits for a minion.
func (s *scene) asleep(reason error) {
	s.serve(sleeper)
	s.awaited, s.reason = client.HighstateStart, reason
}

// minions are the faults that Salt reports about minions. Other tests read the results of
// a real master.
var minions = []fault{
	{name: "a state fails", breaks: func(s *scene) {
		s.serve(spirotest.Minion{ID: "web1"}, spirotest.Minion{ID: "web2", Result: spirotest.States(
			spirotest.State{SLS: "web", ID: "a", Function: "test.nop", Result: spirotest.Failed})})
	}},
	{name: "the states do not render", breaks: func(s *scene) {
		s.serve(spirotest.Minion{ID: "web1", Result: spirotest.NotCompiled("Rendering SLS 'prod:web' failed: Jinja variable 'x' is undefined")})
	}},
	{name: "a minion does not answer Salt", breaks: func(s *scene) {
		s.serve(spirotest.Minion{ID: "web1"}, spirotest.Minion{ID: "web2", Result: spirotest.NoAnswer()})
	}},
	{name: "nothing is heard of a minion", breaks: func(s *scene) {
		s.serve(spirotest.Minion{ID: "web1"}, spirotest.Minion{ID: "web2", Silent: true})
	}},
	{name: "the result of a minion cannot be read", breaks: says(stream+chunk(begun+event("highstate-update", `"minion": "web1", "result": {"ret": `)+second+finished)+chunk(""), nil)},
	{name: "the result of a minion is missing", breaks: says(stream+chunk(begun+event("highstate-update", `"minion": "web1"`)+second+finished)+chunk(""), nil)},
	{name: "the result of a minion is larger than is accepted", breaks: func(s *scene) {
		s.opts.Server.MaxEvent = 1 << 10
		says(stream+chunk(begun+strings.Replace(result, `"comment": "`, `"comment": "`+strings.Repeat("x", 4<<10), 1)+second+finished)+chunk(""), nil)(s)
	}},
	{name: "a result has numbers that only Python's JSON has (`NaN`)", breaks: says(stream+chunk(begun+strings.Replace(result, `"changes": {}`, `"changes": {"limit": [NaN, -Infinity]}`, 1)+second+finished)+chunk(""), nil)},
	{name: "the return code of a minion is no number", breaks: says(stream+chunk(begun+strings.Replace(result, `"retcode": 0`, `"retcode": "error"`, 1)+second+finished)+chunk(""), nil)},
	{name: "no minion is concerned, and the top file names some", breaks: func(s *scene) { s.serve() }},
	{name: "no minion is concerned, with `--missing-minions warn`", breaks: func(s *scene) {
		s.serve()
		s.opts.MissingMinions = report.Warn
	}},
	{name: "a minion that the top file names by its id is down", breaks: func(s *scene) {
		s.file("_salt/spirotop.sls", "prod:\n  web1: [web]\n  web2: [web]\n")
		s.serve(spirotest.Minion{ID: "web1"})
	}},
	{name: "a minion is down that `--expect-minion` names", breaks: func(s *scene) {
		s.opts.ExpectMinions = []string{"web2"}
		s.serve(spirotest.Minion{ID: "web1"})
	}},
	{name: "fewer minions are reached than `--min-minions` says", breaks: func(s *scene) {
		s.opts.MinMinions = 2
		s.serve(spirotest.Minion{ID: "web1"})
	}},
	{name: "no minion is concerned, with `--require-minions`", breaks: func(s *scene) {
		s.opts.MissingMinions = report.Warn
		s.serve()
		s.opts.RequireMinions = true
	}},
}
