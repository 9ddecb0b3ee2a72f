//go:build unix

package salt

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/internal/dev/pace"
)

// helper names the variable by which a test starts itself as another process.
const helper = "SPIRODEPLOY_KEEPER_HELPER"

// TestKeeper: if the process that started the keeper is killed, the programs end and the
// directory goes. Variables of the environment change nothing about it.
func TestKeeper(t *testing.T) {
	t.Parallel()
	if dir := os.Getenv(helper); dir != "" {
		keepAndPrint(t, dir)
	}
	dir := filepath.Join(t.TempDir(), "kept")
	group := killed(t, "groups=no group", "dir=/no/such/directory", "asked=yes", helper+"="+dir)
	soon(t, "the programs and the directory", func() bool {
		_, err := os.Stat(dir)
		return errors.Is(syscall.Kill(-group, 0), syscall.ESRCH) && errors.Is(err, os.ErrNotExist)
	})
}

// TestCommandEnds: if the process that runs a command of Salt is killed, the command
// ends.
func TestCommandEnds(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ends it; elsewhere it ends by itself")
	}
	if dir := os.Getenv(helper); dir != "" {
		go func() {
			m := &Master{env: &Env{dir}, dir: dir}
			_, _ = m.run(t.Context(), "salt-run") // until this process is killed
		}()
		var number []byte
		soon(t, "no number", func() bool {
			number, _ = os.ReadFile(filepath.Join(dir, "number"))
			return strings.HasSuffix(string(number), "\n")
		})
		fmt.Print(string(number))
		time.Sleep(time.Minute)
	}
	dir := t.TempDir()
	python := filepath.Join(dir, "bin", "python")
	if err := write(python, []byte("#!/bin/sh\necho $$ >'"+dir+"/number'\nexec sleep 1000\n")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(python, 0o700); err != nil {
		t.Fatal(err)
	}
	pid := killed(t, helper+"="+dir)
	soon(t, "the command", func() bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) })
}

// killed runs the test of this name as another process with these variables, reads a
// number from it, kills it, and returns the number.
func killed(t *testing.T, environ ...string) int {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = slices.Concat(os.Environ(), []string{"TMPDIR=" + t.TempDir()}, environ)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	pid, numberErr := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || numberErr != nil || pid < 2 {
		t.Fatalf("%q, %v, %v", line, err, numberErr)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed, as it should be
	return pid
}

// soon fails the test unless something is gone soon.
func soon(t *testing.T, what string, gone func() bool) {
	t.Helper()
	for end := time.Now().Add(pace.Hang); !gone(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("still there: %s", what)
		}
	}
}

// keepAndPrint starts a program that does not end by itself and has a child,
// prints its id and waits to be killed.
func keepAndPrint(t *testing.T, dir string) {
	t.Helper()
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	k, err := startKeeper(dir, []program{
		{"sleep", []string{"sh", "-c", "sleep 1000 & sleep 1000"}, filepath.Join(dir, "out")},
	}, os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(k.pids["sleep"])
	time.Sleep(time.Minute)
}

// TestProgramEnds: a program that ends by itself is reported.
func TestProgramEnds(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "kept")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	k, err := startKeeper(dir, []program{{"master", []string{"false"}, filepath.Join(dir, "out")}}, os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	w := waiting{ctx: t.Context(), began: time.Now(), progress: func(string) {}, failed: k.ended}
	if err := w.until("SpiroFS", func() bool { return false }); err == nil || !strings.Contains(err.Error(), "master has ended") {
		t.Errorf("error %v", err)
	}
	if err := k.close(); err != nil {
		t.Error(err)
	}
	if _, err := startKeeper(dir, []program{{"master", []string{"/no/such/program"}, filepath.Join(t.TempDir(), "out")}}, os.Environ()); err == nil {
		t.Error("a missing program has started")
	}
}
