//go:build !unix

package main

import "github.com/rogpeppe/go-internal/testscript"

func asNobody(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Fatalf("asnobody: there are no users to try here")
}
