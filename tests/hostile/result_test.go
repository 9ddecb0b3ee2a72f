package hostile_test

import (
	"fmt"
	"strings"
	"testing"
)

// room is the largest size of a result whose event stays below the limit.
const room = 16<<20 - 1<<10

// fill repeats text up to that size, with commas in between.
func fill(text string, size int) string {
	n := size/(len(text)+1) - 1
	return strings.Repeat(text+",", n) + text
}

// state returns a result with one good state, which has these members, too.
func state(members string) string {
	return `{"ret":{"test_|-a_|-a_|-nop":{"result":true,` + members + `}},"retcode":0}`
}

// bad returns a result with one failed state, which has these members, too.
func bad(members string) string {
	return `{"ret":{"test_|-a_|-a_|-nop":{"result":false,` + members + `}},"retcode":2}`
}

// reports answers with a whole deployment of one minion with that result.
func reports(result string) answer {
	return after(begun, func(w *wire) {
		w.print(event("highstate-start", `{"minions": ["web1"]}`), update("web1", result), event("highstate-finish", `{"msg": "Highstate complete"}`))
	})
}

func nested(levels int) string { return strings.Repeat("[", levels) + strings.Repeat("]", levels) }

// TestLargeResults: one result just below the limit for an event.
func TestLargeResults(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("x", room-1<<10)
	var many strings.Builder
	for i := 0; many.Len() < room-100; i++ {
		fmt.Fprintf(&many, `,"%x":{}`, i)
	}
	members := func(value string) string {
		var b strings.Builder
		for i := 0; b.Len() < room-1<<10; i++ {
			fmt.Fprintf(&b, `,"%x":%s`, i, value)
		}
		return b.String()[1:]
	}
	const done, failed = "1 minion, 1 state", "1 of 1 minion failed"
	test(t, []attack{
		{name: "comment", post: reports(state(`"comment":"` + text + `"`)), says: done},
		{name: "comment of lines", post: reports(state(`"comment":"x` + strings.Repeat(`\ny`, room/3-1<<10) + `"`)), says: done},
		{name: "comment of controls", post: reports(state(`"comment":"` + strings.Repeat(`\u001b`, room/6-1<<10) + `"`)), says: done},
		{name: "comment in many lists", post: reports(state(`"comment":` + strings.Repeat("[", 80) + `"` + text[:len(text)-1<<10] + `"` + strings.Repeat("]", 80))), says: done},
		{name: "comment of a failure", post: reports(bad(`"comment":"` + text + `"`)), status: 1, says: failed},
		{name: "comment of lines of a failure", post: reports(bad(`"comment":"x` + strings.Repeat(`\ny`, room/3-1<<10) + `"`)), status: 1, says: failed},
		{name: "comment of controls of a failure", post: reports(bad(`"comment":"` + strings.Repeat(`\u001b`, room/6-1<<10) + `"`)), status: 1, says: failed},
		{name: "name of a failure", post: reports(bad(`"name":"` + text + `"`)), status: 1, says: failed},
		{name: "comment that is a list", post: reports(state(`"comment":[` + fill("0", room-1<<10) + `]`)), says: done},
		{name: "id", post: reports(state(`"__id__":"` + text + `"`)), says: done},
		{name: "id that is a list", post: reports(state(`"__id__":[` + fill("{}", room-1<<10) + `]`)), says: done},
		{name: "tag", post: reports(`{"ret":{"test_|-` + text + `_|-a_|-nop":{"result":true}},"retcode":0}`), says: done},
		{name: "run number", post: reports(state(`"__run_num__":[` + fill("0", room-1<<10) + `]`)), says: done},
		{name: "warnings", post: reports(state(`"warnings":[` + fill(`""`, room-1<<10) + `]`)), says: done},
		{name: "changes in one text", post: reports(state(`"changes":{"diff":"` + text + `"}`)), says: done},
		{name: "changes in a list", post: reports(state(`"changes":[` + fill("0", room-1<<10) + `]`)), says: done},
		{name: "changes of empty maps", post: reports(state(`"changes":[` + fill("{}", room-1<<10) + `]`)), says: done},
		{name: "changes of many names", post: reports(state(`"changes":{` + members("0") + `}`)), says: done},
		{name: "changes of line ends", post: reports(state(`"changes":{"diff":"` + strings.Repeat(`\n`, room/2-1<<10) + `"}`)), says: done},
		{name: "changes of levels", post: reports(state(`"changes":[` + fill(nested(90), room-1<<10) + `]`)), says: done},
		{name: "no result but members", post: reports(`{"ret":{"a":{` + members("{}") + `}},"retcode":0}`), status: 1, says: failed},
		{name: "states", post: reports(`{"ret":{` + many.String()[1:] + `},"retcode":0}`), status: 1, says: failed},
		{name: "states of one name", post: reports(`{"ret":{` + fill(`"":{}`, room-100) + `},"retcode":0}`), status: 1, says: failed},
		{name: "states that are none", post: reports(`{"ret":{` + fill(`"":0`, room-100) + `},"retcode":0}`), status: 1, says: failed},
		{name: "messages", post: reports(`{"ret":[` + fill(`""`, room-100) + `],"retcode":1}`), status: 1, says: failed},
		{name: "messages of lists", post: reports(`{"ret":[[` + fill(`""`, room-100) + `]],"retcode":1}`), status: 1, says: failed},
		{name: "message", post: reports(`{"ret":"` + text + `","retcode":1}`), status: 1, says: failed},
		{name: "message of controls", post: reports(`{"ret":"` + strings.Repeat(`\u0000`, room/6-1<<10) + `","retcode":1}`), status: 1, says: failed},
		{name: "number", post: reports(`{"ret":` + strings.Repeat("1", room-1<<10) + `,"retcode":1}`), status: 1, says: failed},
		{name: "job id", post: reports(`{"jid":[` + fill("0", room-1<<10) + `],"ret":{"a":{"result":true}},"retcode":0}`), says: done},
		{name: "failed", post: reports(`{"failed":[` + fill("0", room-1<<10) + `]}`), status: 1, says: failed},
		{name: "unknown member", post: reports(`{"other":[` + fill("0", room-1<<10) + `],"ret":{"a":{"result":true}},"retcode":0}`), says: done},
		{name: "no result", post: reports(fill("0", 10) + fill("0", room-1<<10)), status: 1, says: "cannot be read"},
		{name: "exception", post: after(stream, func(w *wire) { w.print(event("exception", `{"msg": "`+text+`"}`)) }), status: 4, says: "the server failed"},
	})
}

// TestManyLargeResults: many results of that size, one of each minion.
func TestManyLargeResults(t *testing.T) {
	t.Parallel()
	const minions = 12
	all := func(result string) answer {
		return after(begun, func(w *wire) {
			for i := range minions {
				w.print(update(fmt.Sprint("web", i), result))
			}
			w.print(event("highstate-finish", `{"msg": "Highstate complete"}`))
		})
	}
	var many strings.Builder
	for i := 0; many.Len() < room-1<<10; i++ {
		fmt.Fprintf(&many, `,"file_|-conf%d_|-/etc/app/%[1]d_|-managed":{"result":%t,"comment":"%s"}`, i, i%1000 != 0, strings.Repeat("x", 200))
	}
	text := strings.Repeat("x", room-1<<10)
	const done, failed = "12 minions, 12 states", "12 of 12 minions failed"
	test(t, []attack{
		{name: "comment", post: all(state(`"comment":"` + text + `"`)), says: done},
		{name: "comment that is a list", post: all(state(`"comment":[` + fill("12345678", room-1<<10) + `]`)), says: done},
		{name: "changes", post: all(state(`"changes":{"diff":"` + text + `"}`)), says: done},
		{name: "changes with white space", post: all(state(`"changes": {"diff": "` + text + `"}`)), says: done},
		{name: "states", post: all(`{"ret":{` + many.String()[1:] + `},"retcode":2}`), status: 1, says: failed},
		{name: "message", post: all(`{"ret":"` + text + `","retcode":1}`), status: 1, says: failed},
	})
}

// TestStrangeResults: small results that Salt does not return.
func TestStrangeResults(t *testing.T) {
	t.Parallel()
	const deep = "nested deeper than"
	test(t, []attack{
		{name: "100,000 levels", post: reports(`{"ret":` + nested(100_000) + `}`), status: 1, says: deep},
		{name: "changes of 9,000 levels", post: reports(state(`"changes":` + nested(9_000))), status: 1, says: deep},
		{name: "levels that do not end", post: reports(strings.Repeat(`{"ret":`, 1_000_000)), status: 1, says: deep},
		{name: "a state twice", post: reports(`{"ret":{"a":{"result":false},"a":{"result":true}},"retcode":0}`), status: 1, says: "1 of 1 minion failed"},
		{name: "ret twice", post: reports(`{"ret":["it failed"],"ret":{"a":{"result":false}},"retcode":0}`), status: 1, says: "1 of 1 minion failed"},
		{name: "numbers without limits", post: reports(state(`"duration":1e308,"__run_num__":-1e308`)), says: "1 minion, 1 state"},
		{name: "duration of text", post: reports(state(`"duration":"1e999999999 ms"`)), says: "1 minion, 1 state"},
	})
}
