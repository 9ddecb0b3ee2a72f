package hostile_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spirostack/spirodeploy/internal/dev/pace"
	"github.com/spirostack/spirodeploy/tests/program"
)

// maxPeak is the most memory that the command may use, in KiB.
const maxPeak = 128 << 10

// attack is what a server does, and the result that the run must have.
type attack struct {
	name      string
	get, post answer
	args      []string // of the command, beside the usual ones
	status    int
	says      string // on standard error or output
}

// test runs attacks, each against a server of its own.
func test(t *testing.T, attacks []attack) {
	t.Helper()
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, nil, a.get, a.post)
			run(t, s.url, a.args...).check(t, a.status, a.says)
		})
	}
}

// outcome is the result of a run of the command.
type outcome struct {
	status int
	said   *screen // both outputs
	report string  // path of the JSON report
	peak   int64   // KiB; 0 if it is not known
}

// run runs the command against a server, with a small project. It kills a command that
// hangs.
func run(t *testing.T, url string, args ...string) outcome {
	t.Helper()
	dir := t.TempDir()
	salt := filepath.Join(dir, "project", "_salt")
	if err := os.MkdirAll(salt, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"top.sls": "shop/prod: {'*': [app]}\n", "app.sls": "{}\n"} {
		if err := os.WriteFile(filepath.Join(salt, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return launch(t, dir, nil, append([]string{"--server=" + url, "--dir=" + filepath.Dir(salt), "--exclude=/.gitcommit"}, args...)...) // git takes its time
}

// launch runs the command with these arguments, and a directory for the files that it
// writes.
func launch(t *testing.T, dir string, env []string, args ...string) outcome {
	t.Helper()
	o := outcome{said: &screen{}, report: filepath.Join(dir, "report.json")}
	spiroDeploy := os.Getenv("HOSTILE_COMMAND")
	if spiroDeploy == "" {
		spiroDeploy = program.Command(t)
	}
	measure, file, peak := program.Measure(t)
	args = append([]string{file, spiroDeploy, "--insecure", "--report=json=" + o.report, "shop", "prod"}, args...)
	cmd := exec.CommandContext(t.Context(), measure, args...)
	cmd.Env = slices.Concat(os.Environ(), []string{"SPIRO_TOKEN=" + secret, "GIT_CEILING_DIRECTORIES=" + dir}, env)
	cmd.Stdout, cmd.Stderr = o.said, o.said
	cmd.WaitDelay = time.Minute // after which its outputs are closed
	limit := time.AfterFunc(pace.Hang, func() {
		t.Error("the command does not end")
		_ = cmd.Process.Kill()
	})
	err := cmd.Run()
	limit.Stop()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	o.status = cmd.ProcessState.ExitCode()
	o.peak = peak()
	return o
}

// secret is the token that is sent; no server may make the command show it.
const secret = "MDAxY2xvY2F0aW9uIGh0dHBzOi8vdG9rZW4"

// jargon matches words that only readers of the source understand.
var jargon = regexp.MustCompile(`net/http|\bhttp: |\bjson: |bufio|goroutine|panic|unmarshal|invalid character|\bEOF\b|context |textproto|unexpected end of JSON|looking for beginning`)

// check fails the test unless the run ended with the status, said the words, showed and
// wrote nothing harmful, and used little memory.
func (o outcome) check(t *testing.T, status int, says string) {
	t.Helper()
	said := o.said.String()
	t.Logf("peak %d MiB, status %d, shown %d bytes", o.peak>>10, o.status, o.said.size)
	if o.status != status || !strings.Contains(said, says) {
		t.Errorf("status %d, want %d and %q", o.status, status, says)
	}
	if o.said.harm != "" {
		t.Errorf("it shows %s", o.said.harm)
	}
	if found := jargon.FindString(o.said.last()); found != "" {
		t.Errorf("it says %q, which few people understand", found)
	}
	if strings.Contains(said, secret) {
		t.Error("it shows the token")
	}
	if o.peak > maxPeak || runtime.GOOS == "linux" && o.peak == 0 {
		t.Errorf("it used %d KiB of memory, more than %d", o.peak, maxPeak)
	}
	o.checkReport(t)
	if t.Failed() {
		t.Logf("it said:\n%s\n[…]\n%s", said[:min(len(said), 2000)], said[max(0, len(said)-2000):])
	}
}

// checkReport fails the test unless the report is JSON without raw control characters.
func (o outcome) checkReport(t *testing.T) {
	t.Helper()
	report, err := os.ReadFile(o.report)
	if err != nil || !json.Valid(report) {
		t.Errorf("the report is not JSON: %v", err)
	}
	if bytes.Contains(report, []byte(secret)) {
		t.Error("the report has the token in it")
	}
	shown := &screen{}
	if _, _ = shown.Write(report); shown.harm != "" {
		t.Errorf("the report has %s in it", shown.harm)
	}
}

// screen checks what is shown, and keeps the beginning and the end of it.
type screen struct {
	size int
	harm string // the first harmful thing that was shown
	head []byte
	tail []byte
	rest []byte // the beginning of a character
}

// kept is the size of the beginning and of the end, in bytes.
const kept = 256 << 10

func (s *screen) Write(p []byte) (int, error) {
	s.size += len(p)
	if room := kept - len(s.head); room > 0 {
		s.head = append(s.head, p[:min(room, len(p))]...)
	}
	s.tail = append(s.tail, p...)
	if len(s.tail) > 2*kept {
		s.tail = bytes.Clone(s.tail[len(s.tail)-kept:])
	}
	if s.harm == "" {
		s.look(p)
	}
	return len(p), nil
}

func (s *screen) look(p []byte) {
	text := slices.Concat(s.rest, p)
	for len(text) > 0 {
		if n := bytes.IndexFunc(text, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r >= 0x7f }); n != 0 {
			if n < 0 {
				n = len(text)
			}
			text = text[n:]
			continue
		}
		if !utf8.FullRune(text) {
			break
		}
		r, size := utf8.DecodeRune(text)
		if r == utf8.RuneError && size == 1 {
			s.harm = "invalid UTF-8"
		} else if harmful(r) {
			s.harm = strconv.QuoteRuneToASCII(r)
		}
		text = text[size:]
	}
	s.rest = bytes.Clone(text)
}

// harmful reports whether a character acts on a terminal or is invisible: C0, C1, reading
// direction, line separators, zero width.
func harmful(r rune) bool {
	return unicode.IsControl(r) && r != '\n' && r != '\t' ||
		unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp) || strings.ContainsRune("\u200b\u2060\ufeff", r)
}

// last returns the last line that was shown: the verdict.
func (s *screen) last() string {
	lines := strings.Split(strings.TrimSpace(string(s.tail)), "\n")
	return lines[len(lines)-1]
}

func (s *screen) String() string {
	if s.size <= len(s.tail) {
		return string(s.tail)
	}
	return string(s.head) + "\n[…]\n" + string(s.tail)
}
