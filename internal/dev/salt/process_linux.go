package salt

import (
	"os/exec"
	"syscall"
)

// endWithUs makes the system end a command if the thread that started it ends.
func endWithUs(cmd *exec.Cmd) { cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL }
