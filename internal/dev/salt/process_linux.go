package salt

import (
	"os/exec"
	"syscall"
)

// endWithUs has the system end a command when the thread that started it ends.
func endWithUs(cmd *exec.Cmd) { cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL }
