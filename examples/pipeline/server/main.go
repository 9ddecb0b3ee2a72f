// Server stands in for a Salt master with SpiroFS, with three minions on which
// every state succeeds: "server serve" serves plain HTTP on port 4510, "server
// token" prints a token that it takes.
package main

import (
	"fmt"
	"log"
	"os"

	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
)

func main() {
	if len(os.Args) != 2 || os.Args[1] != "serve" && os.Args[1] != "token" {
		log.Fatal("usage: server serve|token")
	}
	options := spirotest.Options{
		// No secret: the server guards nothing, and is gone after the pipeline.
		Key:     []byte("a key that both processes know"),
		Minions: []spirotest.Minion{{ID: "web1"}, {ID: "web2"}, {ID: "db1"}},
	}
	if os.Args[1] == "serve" {
		options.Addr = ":4510"
	}
	server, err := spirotest.Start(options)
	if err != nil {
		log.Fatal(err)
	}
	if os.Args[1] == "serve" {
		log.Print("listening on port 4510")
		select {} // until the container is stopped
	}
	fmt.Println(server.Token(0, "shop")) // never expires: an engine may keep what this printed
	if err := server.Close(); err != nil {
		log.Fatal(err)
	}
}
