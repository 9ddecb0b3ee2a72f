package salt

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"
)

// keeperScript reads process groups, a line each. After the line "end", or when its input
// ends, it kills them and removes the directory $1. If nobody asked, the process at the
// other end has gone, and its commands of Salt may still have been writing.
const keeperScript = `trap '' INT HUP TERM
dir=$1 asked=
set --
while read -r line; do
  if [ "$line" = end ]; then asked=yes; break; fi
  set -- "$@" "-$line"
done
[ $# = 0 ] || kill -s KILL -- "$@"
for try in 1 2 3 4 5; do rm -rf -- "$dir" && break; sleep 0.2; done
[ -n "$asked" ] || { sleep 2; rm -rf -- "$dir"; }
`

// program is what a keeper starts.
type program struct {
	name   string
	args   []string
	output string // a file
}

// keeper starts programs. Its process ends them when this process does, at the latest: a
// process that is killed, or a test that runs into its time limit, ends nothing itself.
type keeper struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	pids  map[string]int // of the programs; each leads a group

	mu   sync.Mutex
	dead error // of the first program that has ended
}

// closeLimit is how long the keeper may take to end everything.
const closeLimit = 30 * time.Second

// startKeeper starts programs that write below a directory.
func startKeeper(dir string, programs []program, environ []string) (*keeper, error) {
	// Not with a context: it has to outlive everything else.
	k := &keeper{cmd: exec.Command("sh", "-c", keeperScript, "sh", dir), pids: map[string]int{}} //nolint:noctx // see above
	// Other variables of the environment would be variables of the script.
	k.cmd.Env, k.cmd.Dir = []string{"PATH=" + os.Getenv("PATH")}, "/"
	detach(k.cmd)
	var err error
	if k.stdin, err = k.cmd.StdinPipe(); err == nil {
		err = k.cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("start the keeper: %w", err)
	}
	for _, p := range programs {
		if err := k.start(p, environ); err != nil {
			return nil, errors.Join(fmt.Errorf("start %s: %w", p.name, err), k.close())
		}
	}
	return k, nil
}

func (k *keeper) start(p program, environ []string) error {
	output, err := os.OpenFile(p.output, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer output.Close()
	cmd := exec.Command(p.args[0], p.args[1:]...) //nolint:noctx // the keeper ends it
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = environ, "/", output, output
	detach(cmd)
	if err := cmd.Start(); err != nil {
		return err
	}
	k.pids[p.name] = cmd.Process.Pid
	_, err = fmt.Fprintln(k.stdin, cmd.Process.Pid)
	go func() {
		_ = cmd.Wait() // its status says how
		k.mu.Lock()
		defer k.mu.Unlock()
		if k.dead == nil {
			k.dead = fmt.Errorf("%s has ended: %s", p.name, cmd.ProcessState)
		}
	}()
	return err
}

// ended returns an error if a program has ended.
func (k *keeper) ended() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.dead
}

// close has the keeper end the programs, and waits for it.
func (k *keeper) close() error {
	_, _ = io.WriteString(k.stdin, "end\n") // if that fails, the keeper is on its way
	_ = k.stdin.Close()                     // as above
	late := time.AfterFunc(closeLimit, func() { _ = k.cmd.Process.Kill() })
	defer late.Stop()
	if err := k.cmd.Wait(); err != nil {
		return fmt.Errorf("end Salt: the keeper: %w", err)
	}
	return nil
}
