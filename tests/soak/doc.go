// Package soak deploys again and again, and many times at once, with all kinds of ends,
// and looks for what is left behind: goroutines, open files, temporary files, memory. Its
// run is short with go test, and long with go tool mage soak.
package soak
