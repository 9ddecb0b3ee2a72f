package hostile_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// evil are texts that would act on the screen of the person who reads them.
var evil = map[string]string{
	"CSI":                "\x1b[2J\x1b[1;31mred",
	"CSI in one byte":    "\u009b31mred",
	"raw byte 0x9b":      "\x9b31mred",
	"OSC 8 link":         "\x1b]8;;https://example.org/\x1b\\click\x1b]8;;\x1b\\",
	"OSC title":          "\x1b]0;title\x07",
	"DCS":                "\x1bP+q544e\x1b\\ \u0090x\u009c",
	"BEL":                "\a\a",
	"carriage return":    "failed\rSuccess",
	"backspace":          "failed\b\b\b\b\b\bfine  ",
	"bidi override":      "\u202egpj.exe\u202c\u2066x\u2069\u061c",
	"zero width":         "we\u200bb1\u2060\ufeff",
	"invalid UTF-8":      "\xff\xc0\x80\xed\xa0\x80",
	"NUL":                "a\x00b",
	"line separators":    "a\u2028b\u2029c\u0085d\x0be\x0cf",
	"DEL":                "a\x7f",
	"shift out":          "\x0e\x0f",
	"private characters": "\U0010ffff\ue000",
}

// quote returns text as JSON that keeps what a JSON string may have in it.
func quote(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(text) {
		if c := text[i]; c < ' ' || c == '"' || c == '\\' {
			fmt.Fprintf(&b, `\u%04x`, c)
		} else {
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// TestText: the words of a server are shown, and do nothing.
func TestText(t *testing.T) {
	t.Parallel()
	var attacks []attack
	for name, text := range evil {
		attacks = append(attacks, attack{name: name, post: saying(text), status: 6, says: "did not report"})
	}
	test(t, attacks)
}

// oneLine removes the characters from a text that end a line of a stream.
func oneLine(text string) string { return strings.NewReplacer("\n", "", "\r", "").Replace(text) }

// saying answers with a text in every place of an answer.
func saying(text string) answer {
	line, q, tag := oneLine(text), quote(text), quote("test_|-"+text+"_|-"+text+"_|-"+text)
	all := fmt.Sprintf(`{"ret":{%s:{"result":false,"__id__":%[2]s,"name":%[2]s,"comment":%[2]s,"__sls__":%[2]s,"start_time":%[2]s,`+
		`"warnings":[%[2]s],"changes":{%[2]s:%[2]s,"l":[%[2]s,{%[2]s:{%[2]s:1}}]}}},"retcode":2,"jid":%[2]s}`, tag, q)
	return after(begun, func(w *wire) {
		w.print(event(line, line), event(line, `{"msg": `+q+`}`), event("deploy-bundle", `{"msg": `+q+`}`), "data: "+line+"\n\n", event("news", line))
		w.print(event("highstate-start", `{"minions": [`+q+`, "silent`+q[1:]+`]}`))
		w.print(event("highstate-update", `{"minion": `+q+`, "result": `+all+`}`))
		w.print(event("highstate-update", `{"minion": "two", "result": {"ret": [`+q+`], "retcode": 1}}`))
		w.print(event("highstate-update", `{"minion": "three", "result": {"ret": `+q+`, "retcode": 1}}`))
		w.print(event("highstate-update", `{"minion": "four", "result": `+q+`}`))
		w.print(event("highstate-finish", `{"msg": `+q+`}`))
	})
}

// TestTextOfRefusals: all these texts at once, in answers without a stream of events.
func TestTextOfRefusals(t *testing.T) {
	t.Parallel()
	var all, mild strings.Builder
	for _, text := range evil {
		all.WriteString(text)
		// net/http takes no header with these in it: see TestTextInHeaders.
		if !strings.ContainsAny(text, "\x00\n\r\x0b\x0c\x7f\x1b\a\b\x0e\x0f") {
			mild.WriteString(text)
		}
	}
	text, line, header := all.String(), oneLine(all.String()), mild.String()
	test(t, []attack{
		{name: "exception", post: after(begun, func(w *wire) { w.print(event("exception", `{"msg": `+quote(text)+`}`)) }), status: 4, says: "the server failed"},
		{name: "exception without JSON", post: after(begun, func(w *wire) { w.print(event("exception", line)) }), status: 4, says: "the server failed"},
		{name: "no protocol", post: after(begun, func(w *wire) { w.print(event("highstate-start", `{"minions": `+quote(text)+`}`)) }), status: 6, says: "is malformed"},
		{name: "refusal", post: whole("400 "+line, "", text), status: 3, says: maybe},
		{name: "refusal of the token", get: whole("401 "+line, "", "<title>"+text+"</title>"), status: 3, says: "the token is not valid"},
		{name: "answer", get: whole("200 OK", "", text), status: 5, says: "Auth OK"},
		{name: "status line", get: func(w *wire) { w.print("HTTP/1.1 " + line + "\r\n\r\n") }, status: 5, says: "nothing was deployed"},
		{name: "type", post: whole("200 OK", "Content-Type: x/"+header+"\r\n"), status: 6, says: maybe},
		{name: "encoding", post: whole("200 OK", streamHeader+"Content-Encoding: "+header+"\r\n"), status: 6, says: maybe},
		{name: "redirect", get: whole("302 Found", "Location: https://"+header+"/\r\n"), status: 3, says: "redirects to"},
	})
}

// TestTextInHeaders: a header with control characters is not a header.
func TestTextInHeaders(t *testing.T) {
	t.Parallel()
	test(t, []attack{
		{name: "value", get: whole("302 Found", "Location: \x1b[2J\r\n"), status: 5, says: "nothing was deployed"},
		{name: "name", get: whole("200 OK", "\x1b[2J: x\r\n"), status: 5, says: "nothing was deployed"},
		{name: "after the bundle", post: whole("200 OK", "Content-Type: \x1b[2J\x00\r\n"), status: 6, says: maybe},
	})
}

// TestTokenInText: if a server repeats the token, the command neither shows it nor writes
// it to the report.
func TestTokenInText(t *testing.T) {
	t.Parallel()
	whisper, err := json.Marshal(map[string]string{"msg": "you said " + secret})
	if err != nil {
		t.Fatal(err)
	}
	test(t, []attack{
		{name: "event", post: after(begun, func(w *wire) { w.print(event("exception", string(whisper))) }), status: 4, says: "you said [redacted]"},
		{name: "name", post: after(begun, func(w *wire) { w.print(event(secret, "")) }), status: 6, says: "[redacted]"},
		{name: "escaped", post: after(begun, func(w *wire) { w.print(event("exception", `{"msg": "`+escaped(secret)+`"}`)) }), status: 4, says: "[redacted]"},
		{name: "escaped result", post: reports(`{"ret": ["` + escaped(secret) + `"], "retcode": 1}`), status: 1, says: "[redacted]"},
		{name: "refusal", get: whole("401 Unauthorized", "", secret), status: 3, says: "[redacted]"},
		{name: "location", get: whole("302 Found", "Location: https://example.org/"+secret+"\r\n"), status: 3, says: "[redacted]"},
		{name: "type", post: whole("200 OK", "Content-Type: x/"+secret+"\r\n"), status: 6, says: "[redacted]"},
		{name: "status line", get: func(w *wire) { w.print("HTTP/1.1 " + secret + "\r\n\r\n") }, status: 5, says: "[redacted]"},
	})
}

// escaped returns a text as JSON that escapes every character.
func escaped(text string) string {
	var b strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&b, `\u%04x`, text[i])
	}
	return b.String()
}
