package leak_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// job is a program to run, and the secrets that must not come out of it.
type job struct {
	path    string
	args    []string
	env     []string
	dir     string                 // the working directory
	secrets []string               // what to look for
	known   []string               // files that may hold a secret
	began   func(*exec.Cmd) func() // called while it runs; returns a function that is called at the end
	leaves  bool                   // whether it may leave something in TMPDIR
}

// result is the output of a job.
type result struct {
	status         int
	stdout, stderr string
}

// run runs a job with an empty TMPDIR. It looks for the secrets in the output, in files,
// and in the arguments of all processes.
func (j job) run(t *testing.T) result {
	t.Helper()
	temp := t.TempDir()
	find := newSearch(j.secrets...)
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), j.path, j.args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = j.dir, &stdout, &stderr
	cmd.WaitDelay = time.Minute
	cmd.Env = slices.Concat(os.Environ(), []string{"TMPDIR=" + temp, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull}, j.env)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	watch := lookout{
		errorf: t.Errorf, find: find, own: newSearch(own(j.secrets)...),
		dirs: []string{temp, j.dir}, known: j.known, seen: map[string]bool{},
	}
	if len(find.in([]byte(strings.Join(j.args, "\x00")))) > 0 {
		// Only the user's own arguments may have the token. (A child has the same
		// arguments until it becomes another program.)
		watch.typed = strings.Join(cmd.Args, "\x00") + "\x00"
	}
	stop := watch.keep()
	var after func()
	if j.began != nil {
		after = j.began(cmd)
	}
	err := cmd.Wait()
	stop()
	if after != nil {
		after()
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	r := result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
	clean(t, "standard output", find, stdout.Bytes())
	clean(t, "standard error", find, stderr.Bytes())
	watch.files()
	if left := names(temp); len(left) > 0 && !j.leaves {
		t.Errorf("%d files are left in TMPDIR, such as %s", len(left), filepath.Base(left[0]))
	}
	return r
}

// want checks the exit status and some words of the output. It shows the output only if
// that has no secrets.
func (r result) want(t *testing.T, status int, says string, secrets ...string) {
	t.Helper()
	if r.status == status && strings.Contains(r.stdout+r.stderr, says) {
		return
	}
	t.Errorf("exit status %d, want %d and %q\n%s", r.status, status, says, shown(r.stdout+r.stderr, secrets...))
}

// shown returns a text if it has no secrets.
func shown(text string, secrets ...string) string {
	if len(leaks([]byte(text), secrets...)) > 0 {
		return "(not shown: a token is in it)"
	}
	return text
}

// clean fails the test if a search finds something.
func clean(t *testing.T, what string, find *search, haystack []byte) {
	t.Helper()
	if found := find.in(haystack); len(found) > 0 {
		t.Errorf("%d leaks in %s, the first: %s", len(found), what, found[0])
	}
}

// lookout looks for secrets while a process runs.
type lookout struct {
	errorf func(format string, args ...any)
	find   *search
	own    *search // the same, for what other tests have in their arguments as well
	dirs   []string
	known  []string
	typed  string // the arguments in which the user put the token

	seen map[string]bool // leaks that were told, and arguments that are clean
}

// keep looks until the function that it returns is called. It looks at least once.
func (l *lookout) keep() (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(25 * time.Millisecond)
		defer tick.Stop()
		for {
			l.files()
			l.processes(arguments())
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	})
	return func() { close(done); wg.Wait() }
}

// files looks at all files of the directories, and at their names.
func (l *lookout) files() {
	for _, dir := range l.dirs {
		for _, path := range names(dir) {
			if slices.Contains(l.known, path) {
				continue
			}
			l.tell(l.find, "the name of a file", []byte(path))
			content, err := os.ReadFile(path)
			if err != nil {
				continue // it is gone, or nothing that has content
			}
			l.tell(l.find, "the file "+filepath.Base(path), content)
		}
	}
}

// processes looks at the arguments of all processes.
func (l *lookout) processes(all []string) {
	for _, line := range all {
		if line != l.typed && !l.seen[line] {
			l.seen[line] = true
			l.tell(l.own, "the arguments of a process", []byte(line))
		}
	}
}

// tell reports a leak once.
func (l *lookout) tell(find *search, where string, haystack []byte) {
	if found := find.in(haystack); len(found) > 0 && !l.seen[where] {
		l.seen[where] = true
		l.errorf("leak in %s: %s", where, found[0])
	}
}

// looked keeps the arguments of all processes for a short while, since many tests ask.
var looked struct {
	sync.Mutex
	at    time.Time
	lines []string
}

// arguments returns the arguments of all processes, on Linux.
func arguments() []string {
	if runtime.GOOS != "linux" {
		return nil
	}
	looked.Lock()
	defer looked.Unlock()
	if time.Since(looked.at) < 5*time.Millisecond {
		return looked.lines
	}
	var lines []string
	all, _ := filepath.Glob("/proc/[0-9]*/cmdline") // the pattern is a good one
	for _, path := range all {
		if line, err := os.ReadFile(path); err == nil { // else it is gone
			lines = append(lines, string(line))
		}
	}
	looked.at, looked.lines = time.Now(), lines
	return lines
}

// names returns the regular files below a directory.
func names(dir string) []string {
	var all []string
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			all = append(all, path)
		}
		return nil // what is gone by now does not matter
	})
	return all
}

// TestProcessesAreSeen: the search through the arguments of processes works, or says that
// it cannot work.
func TestProcessesAreSeen(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("the arguments of processes are looked at on Linux only")
	}
	secret := opaque()
	cmd := exec.CommandContext(t.Context(), "cat", "-", secret)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	told := 0
	watch := lookout{errorf: func(string, ...any) { told++ }, own: newSearch(own([]string{secret})...), seen: map[string]bool{}}
	looked.Lock()
	looked.at = time.Time{}
	looked.Unlock()
	watch.processes(arguments())
	if told != 1 {
		t.Error("a token in the arguments of a process was not seen")
	}
	_ = in.Close()
	_ = cmd.Wait() // it fails, for there is no such file
}
