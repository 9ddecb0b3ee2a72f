package leak_test

import (
	"strings"
)

// hostile are the answers of servers that repeat the token.
var hostile = []struct {
	name      string
	get, post answer
}{
	{name: "good"},
	// Events.
	{name: "message", post: func(s string) string {
		return stream(sse("deploy-bundle", object(map[string]any{"msg": everyForm(s)})), started())
	}},
	{name: "message with escapes", post: func(s string) string {
		return stream(sse("deploy-bundle", `{"msg": `+escaped(s)+`}`), started())
	}},
	{name: "message that is no text", post: func(s string) string {
		return stream(sse("deploy-bundle", object(map[string]any{"msg": []string{everyForm(s)}})), started())
	}},
	{name: "data without JSON", post: func(s string) string { return stream(sse("deploy-bundle", everyForm(s)), started()) }},
	{name: "data of an unknown event", post: func(s string) string {
		return stream(sse("news", object(map[string]any{everyForm(s): everyForm(s)})), sse("news", everyForm(s)), started())
	}},
	{name: "escapes in the data of an unknown event", post: func(s string) string { return stream(sse("news", `{"x": `+escaped(s)+`}`), started()) }},
	{name: "name of an event", post: func(s string) string { return stream(sse(everyForm(s), "{}"), sse(s, `{"msg": "m"}`), started()) }},
	{name: "event that is wrong", post: func(s string) string {
		return stream(sse("highstate-start", object(map[string]any{"minions": everyForm(s)})))
	}},
	{name: "exception", post: func(s string) string {
		return page(200, "text/event-stream", sse("exception", object(map[string]any{"msg": "Traceback:\n" + everyForm(s) + "\n"})))
	}},
	{name: "exception with escapes", post: func(s string) string {
		return page(200, "text/event-stream", sse("exception", `{"msg": `+escaped(s)+`}`))
	}},
	{name: "comments and fields of the stream", post: func(s string) string {
		return stream(": "+everyForm(s)+"\nid: "+s+"\nretry: "+s+"\n"+s+": "+s+"\n\n", started())
	}},
	{name: "too large an event", post: func(s string) string { return stream("data: " + strings.Repeat(s, 17<<20/len(s)) + "\n\n") }},
	// Results.
	{name: "minion ids", post: func(s string) string {
		return stream(started(everyForm(s), s, "silent-"+s), reported(everyForm(s), states("a_|-b_|-c_|-d", nil)), reported(s, nil))
	}},
	{name: "minion ids with escapes", post: func(s string) string {
		return stream(sse("highstate-start", `{"msg": "m", "minions": [`+escaped(s)+`]}`))
	}},
	{name: "comment", post: func(s string) string {
		return stream(started("web1"), reported("web1", states("a_|-b_|-c_|-d", map[string]any{"comment": everyForm(s), "warnings": []string{everyForm(s)}})))
	}},
	{name: "result with escapes", post: func(s string) string {
		return stream(started("web1"), sse("highstate-update", `{"minion": "web1", "msg": "", "result": {"retcode": 2, "ret": {"a_|-b_|-c_|-d": {"result": false, "comment": `+
			escaped(s)+`, "changes": {`+escaped(s)+`: `+escaped(s)+`}, "name": `+escaped(s)+`, "__id__": `+escaped(s)+`}}}}`))
	}},
	{name: "messages with escapes", post: func(s string) string {
		return stream(started("web1"), sse("highstate-update", `{"minion": "web1", "msg": "", "result": {"retcode": 1, "ret": [`+escaped(s)+`]}}`))
	}},
	{name: "changes", post: func(s string) string {
		return stream(started("web1"), reported("web1", states("a_|-b_|-c_|-d", map[string]any{"changes": map[string]any{s: everyForm(s), "list": []any{everyForm(s), 1}}})))
	}},
	{name: "halves", post: func(s string) string {
		return stream(started("web1"), reported("web1", states("a_|-b_|-c_|-d", map[string]any{
			"comment": s[:len(s)/2], "name": s[len(s)/2:], "changes": map[string]any{s[:len(s)/2]: []string{s[:len(s)/2], s[len(s)/2:]}},
		})))
	}},
	{name: "state ids", post: func(s string) string {
		return stream(started("web1"), reported("web1", states(s+"_|-"+s+"_|-"+everyForm(s)+"_|-"+s, map[string]any{"__id__": everyForm(s), "name": s, "__sls__": everyForm(s)})))
	}},
	{name: "messages of a minion", post: func(s string) string {
		return stream(started("web1", "web2", "web3"), reported("web1", []string{everyForm(s)}), reported("web2", everyForm(s)), reported("web3", map[string]any{s: s}))
	}},
	// Errors, in HTML and in plain text.
	{name: "body for 400", get: func(s string) string { return page(400, "text/plain", everyForm(s)) }},
	{name: "body for 401", get: func(s string) string {
		return page(401, "text/html", "<html><title>401: "+everyForm(s)+"</title><body>"+everyForm(s)+"</body></html>")
	}},
	{name: "body for 403", post: func(s string) string {
		return page(403, "text/html", "<html><p>"+s[:20]+"</p><p>"+everyForm(s)+"</html>")
	}},
	{name: "body for 404", get: func(s string) string { return page(404, "text/html", everyForm(s)) }},
	{name: "body for 500", post: func(s string) string {
		return page(500, "text/plain", strings.Repeat("x", 200-len(s)/2)+s+strings.Repeat("y", 70<<10)+s)
	}},
	{name: "body that is cut in the token", post: func(s string) string {
		return page(500, "text/html", strings.Repeat("<b>", (64<<10-len(s)/2)/3)+s)
	}},
	{name: "body for 502", post: func(s string) string { return page(502, "text/html", "<title>"+s+"</title>") }},
	{name: "escapes of HTML", get: func(s string) string {
		return page(403, "text/html", "<title>"+strings.ReplaceAll(s, s[7:8], "&#"+s[7:8]+";")+"</title>")
	}},
	{name: "answer to GET", get: func(s string) string { return page(200, "text/plain", everyForm(s)) }},
	{name: "answer to GET in HTML", get: func(s string) string { return page(200, "text/html", "<title>Log in, "+everyForm(s)+"</title>") }},
	// What is around the body.
	{name: "location", get: func(s string) string {
		return "HTTP/1.1 302 Found\r\nLocation: https://example.invalid/?t=" + strings.ReplaceAll(everyForm(s), " ", "&t=") + "\r\nContent-Length: 0\r\n\r\n"
	}},
	{name: "location for POST", post: func(s string) string {
		return "HTTP/1.1 307 Moved\r\nLocation: /" + s + "\r\nContent-Length: 0\r\n\r\n"
	}},
	{name: "content type", post: func(s string) string { return page(200, "text/"+everyForm(s), "") }},
	{name: "content type with parameters", post: func(s string) string { return page(200, "text/plain; x=\""+s+"\"", "") }},
	{name: "content encoding", post: func(s string) string {
		return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: " + everyForm(s) + "\r\nContent-Length: 0\r\n\r\n"
	}},
	{name: "reason phrase", get: func(s string) string { return "HTTP/1.1 418 " + everyForm(s) + "\r\nContent-Length: 0\r\n\r\n" }},
	{name: "status code", get: func(s string) string { return "HTTP/1.1 " + s + " OK\r\nContent-Length: 0\r\n\r\n" }},
	{name: "version", post: func(s string) string { return s + " 200 OK\r\nContent-Length: 0\r\n\r\n" }},
	{name: "no HTTP", post: func(s string) string { return everyForm(s) + "\r\n\r\n" }},
	{name: "malformed header", get: func(s string) string { return "HTTP/1.1 200 OK\r\n" + everyForm(s) + "\r\n\r\n" }},
	{name: "malformed header for POST", post: func(s string) string { return "HTTP/1.1 200 OK\r\nX y " + s + ": " + s + "\r\n\r\n" }},
	{name: "content length", get: func(s string) string { return "HTTP/1.1 200 OK\r\nContent-Length: " + s + "\r\n\r\nAuth OK" }},
	{name: "two content lengths", get: func(s string) string {
		return "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nContent-Length: " + s + "\r\n\r\nAuth OK"
	}},
	{name: "transfer encoding", post: func(s string) string { return "HTTP/1.1 200 OK\r\nTransfer-Encoding: " + s + "\r\n\r\n" }},
	{name: "trailer", post: func(s string) string {
		return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTrailer: " + s + "\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + s + "\r\n\r\n"
	}},
	{name: "chunk size", post: func(s string) string {
		return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n" + s + "\r\n" + s
	}},
	{name: "chunk that ends wrongly", get: func(s string) string {
		return "HTTP/1.1 401 X\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd" + s + "\r\n"
	}},
	{name: "early hints", get: func(s string) string {
		return "HTTP/1.1 103 " + s + "\r\nLink: " + s + "\r\n\r\n" + "HTTP/1.1 101 " + s + "\r\nUpgrade: " + s + "\r\n\r\n"
	}},
	{name: "more than the answer", get: func(s string) string { return page(200, "text/plain", "Auth OK") + everyForm(s) }},
	{name: "cut", post: func(s string) string {
		return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + "event: " + s + "\ndata: " + s
	}},
}
