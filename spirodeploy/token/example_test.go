package token_test

import (
	"fmt"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

// A token says what it allows, and can be made to allow less without the server.
// Whatever prints it does not show it.
func ExampleToken_Narrow() {
	server, err := spirotest.Start(spirotest.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	tok, err := token.Parse(server.Token(time.Hour, "shop", "blog"))
	if err != nil {
		fmt.Println(err)
		return
	}
	narrow, err := tok.Narrow(time.Time{}, "shop")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, t := range []token.Token{tok, narrow} {
		rights, err := t.Rights()
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(t, "shop:", rights.Allows("shop"), "blog:", rights.Allows("blog"))
	}
	// Output:
	// [redacted] shop: true blog: true
	// [redacted] shop: true blog: false
}
