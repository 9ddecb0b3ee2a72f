package salt

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// callLimit is how long one command may take. On a busy machine, Python takes seconds to
// start, and the master waits for its whole time-out if a minion is silent.
const callLimit = 10 * time.Minute

// Runner calls a runner of the master, such as spiro.issue_token, by salt-run, and
// returns its result as JSON. Each call takes a second or two.
func (m *Master) Runner(ctx context.Context, args ...string) (json.RawMessage, error) {
	out, err := m.run(ctx, "salt-run", append([]string{"--out=json"}, args...)...)
	if err != nil {
		return nil, err
	}
	if !json.Valid(out) {
		return nil, fmt.Errorf("salt-run %s: no JSON: %s", args[0], tail(out, 500))
	}
	return out, nil
}

// Call calls a function of a minion by salt, and returns its result as JSON.
func (m *Master) Call(ctx context.Context, minion, fun string, args ...string) (json.RawMessage, error) {
	out, err := m.run(ctx, "salt", append([]string{"--out=json", "--static", minion, fun}, args...)...)
	if err != nil {
		return nil, err
	}
	var results map[string]json.RawMessage
	if err := json.Unmarshal(out, &results); err != nil {
		return nil, fmt.Errorf("salt %s %s: %w: %s", minion, fun, err, tail(out, 500))
	}
	result, ok := results[minion]
	if !ok {
		return nil, fmt.Errorf("salt %s %s: no result", minion, fun)
	}
	return result, nil
}

// allAnswer reports whether all minions answer.
func (m *Master) allAnswer(ctx context.Context) bool {
	out, _ := m.run(ctx, "salt", "--out=json", "--static", "--timeout=20", "*", "test.ping") // if it fails, nobody answers
	var answers map[string]any
	_ = json.Unmarshal(out, &answers) // as above
	for _, minion := range m.minions {
		if answers[minion.ID] != true {
			return false
		}
	}
	return true
}

func (m *Master) run(ctx context.Context, script string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, callLimit, errors.New("it took more than "+callLimit.String()))
	defer cancel()
	line := append(m.Line(script), args...)
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	cmd.Env = m.Environment()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	detach(cmd)
	endWithUs(cmd)
	cmd.WaitDelay = time.Second
	// The thread that starts the command must not end before it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return stdout.Bytes(), fmt.Errorf("%s %s: %w: %s", script, strings.Join(args, " "), err,
			tail(append(stdout.Bytes(), stderr.Bytes()...), 1000))
	}
	return stdout.Bytes(), nil
}

// Line returns the command line of one of Salt's programs, for this master.
func (m *Master) Line(script string) []string {
	return m.env.Script(script, "-c", m.path("master"))
}

// Environment returns the environment of Salt's processes. It keeps them out of the
// user's home.
func (m *Master) Environment() []string {
	return append(pythonEnv(os.Environ()), "HOME="+m.dir)
}

// combined runs a command in a group of its own, and returns what it printed.
func combined(cmd *exec.Cmd) ([]byte, error) {
	detach(cmd)
	cmd.WaitDelay = time.Second
	return cmd.CombinedOutput()
}
