//go:build unix

package salt

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/internal/dev/pace"
)

// helper names the variable by which TestKeeper starts this test as another process.
const helper = "SPIRODEPLOY_KEEPER_HELPER"

// TestKeeper: if the process that started the keeper is killed, the programs end and the
// directory goes. Variables of the environment change nothing about it.
func TestKeeper(t *testing.T) {
	t.Parallel()
	if dir := os.Getenv(helper); dir != "" {
		keepAndPrint(t, dir)
	}
	dir := filepath.Join(t.TempDir(), "kept")
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKeeper$")
	cmd.Env = append(os.Environ(), helper+"="+dir, "TMPDIR="+t.TempDir(), "groups=no group", "dir=/no/such/directory", "asked=yes")
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
	for end := time.Now().Add(pace.Hang); ; time.Sleep(20 * time.Millisecond) {
		alive := syscall.Kill(-pid, 0)
		_, there := os.Stat(dir)
		if errors.Is(alive, syscall.ESRCH) && errors.Is(there, os.ErrNotExist) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("still there: the programs: %v, the directory: %v", alive, there)
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
		{"sleep", []string{"sh", "-c", "sleep 300 & sleep 300"}, filepath.Join(dir, "out")},
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
