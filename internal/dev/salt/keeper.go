package salt

import (
	"bufio"
	"context"
	_ "embed" // for the keeper
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"time"
)

//go:embed python/keeper.py
var keeperScript string

// program is what the keeper starts.
type program struct {
	Name   string   `json:"name"`
	Args   []string `json:"args"`
	Output string   `json:"output"` // a file
}

// keeper is the process that starts the programs, and ends them with this
// process at the latest: what only this process did would not happen when it is
// killed, or a test runs into its time limit.
type keeper struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	pids  map[string]int // of the programs; each leads a group

	done chan struct{} // closed when the keeper's output has ended
	mu   sync.Mutex
	dead []string // programs that have ended by themselves
}

// closeLimit is how long the keeper may take to end everything.
const closeLimit = 30 * time.Second

func startKeeper(env *Env, dir string, programs []program, environ []string) (*keeper, error) {
	spec, err := json.Marshal(map[string]any{"dir": dir, "programs": programs})
	if err != nil {
		return nil, err
	}
	// Not with a context: it has to outlive everything else.
	cmd := exec.Command(env.python(), "-c", keeperScript) //nolint:noctx // see above
	cmd.Env, cmd.Dir = environ, "/"
	detach(cmd)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the keeper: %w", err)
	}
	k := &keeper{cmd: cmd, stdin: stdin, pids: map[string]int{}, done: make(chan struct{})}
	started := make(chan struct{})
	go k.listen(stdout, len(programs), started)
	if _, err := stdin.Write(append(spec, '\n')); err != nil {
		return nil, errors.Join(fmt.Errorf("tell the keeper: %w", err), k.close())
	}
	select {
	case <-started:
		return k, nil
	case <-k.done:
		return nil, errors.Join(errors.New("start the programs: the keeper has ended"), k.close())
	}
}

// listen hears what the keeper tells. All programs have started when it closes
// started.
func (k *keeper) listen(out io.Reader, programs int, started chan<- struct{}) {
	defer close(k.done)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var told struct {
			Name   string
			PID    int
			Status int
		}
		if json.Unmarshal(lines.Bytes(), &told) != nil {
			continue
		}
		if told.PID != 0 {
			if k.pids[told.Name] = told.PID; len(k.pids) == programs {
				close(started)
			}
			continue
		}
		k.mu.Lock()
		k.dead = append(k.dead, fmt.Sprintf("%s has ended with status %d", told.Name, told.Status))
		k.mu.Unlock()
	}
}

// ended returns an error when a program has.
func (k *keeper) ended() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.dead) == 0 {
		return nil
	}
	return errors.New(k.dead[0])
}

// close has the keeper end the programs, and waits for it.
func (k *keeper) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeLimit)
	defer cancel()
	_, _ = io.WriteString(k.stdin, "end\n") // where that fails, the keeper is on its way
	_ = k.stdin.Close()                     // as above
	select {
	case <-k.done:
	case <-ctx.Done():
		_ = k.cmd.Process.Kill() // it may just have ended
	}
	if err := k.cmd.Wait(); err != nil {
		return fmt.Errorf("end Salt: the keeper: %w", err)
	}
	return nil
}
