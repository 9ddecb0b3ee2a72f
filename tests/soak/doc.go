// Package soak deploys again and again, and many times at once, with all kinds
// of ends, and looks for what that leaves behind: goroutines, open files,
// temporary files, memory. In go test it is a short run; go tool mage soak makes
// it a long one.
package soak
