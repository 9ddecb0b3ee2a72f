//go:build !unix

package faults_test

import (
	"os/exec"
	"testing"
)

func asNobody(t *testing.T, _ *exec.Cmd) {
	t.Helper()
	t.Skip("files are made unreadable in the way of Unix")
}
