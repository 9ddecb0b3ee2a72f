//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

// asNobody runs a command as a user who is not root: "asnobody N COMMAND…",
// where N is the exit status. What it prints goes to the file nobody.out.
func asNobody(ts *testscript.TestScript, _ bool, args []string) {
	path, err := exec.LookPath(lookPath(ts, args[1]))
	ts.Check(err)
	cmd := exec.Command(path, args[2:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = []string{"PATH=" + ts.Getenv("PATH"), "SPIRO_URL=" + ts.Getenv("SPIRO_URL"), "SPIRO_TOKEN=" + ts.Getenv("SPIRO_TOKEN")}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		for _, dir := range []string{cmd.Dir, filepath.Dir(path)} {
			ts.Check(letIn(dir))
		}
	}
	out, err := cmd.CombinedOutput()
	ts.Check(os.WriteFile(ts.MkAbs("nobody.out"), out, 0o600))
	ts.Logf("%s", out)
	compareStatus(ts, args[0], err)
}

// letIn lets everybody pass through the directories above dir that are ours.
func letIn(dir string) error {
	temp := filepath.Clean(os.TempDir())
	for d := dir; d != temp && d != filepath.Dir(d); d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			return err
		}
	}
	return nil
}
