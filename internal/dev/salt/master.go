package salt

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Minion is a minion to start.
type Minion struct {
	ID string
	// Grains are further grains; default none. Every minion has the grains "root" and,
	// for examples/shop, "shop_root": the directory below which its states may write
	// ([Master.Root]).
	Grains map[string]any
}

// Options say what to start.
type Options struct {
	Minions []Minion
	// TLS has the server speak TLS, with the certificate [Master.Certificate];
	// default false, plain HTTP.
	TLS bool
	// Published switches off what spirofs-compat hardens, so that SpiroFS acts as it was
	// published; default false.
	Published bool
	// Freezes says that the test freezes minions ([Master.Freeze]), and makes the master
	// give up on them soon; default false, it waits for minutes.
	Freezes bool
	// Setup returns a configuration file that sets SpiroFS up on a port, in place of what
	// this package sets up; default nil.
	Setup func(port int) string
	// Progress gets a line about each wait that takes long; default none.
	Progress func(string)
}

// Master is a running Salt master with SpiroFS and its minions.
type Master struct {
	URL         string // of SpiroFS
	Certificate []byte // in PEM; nil without TLS

	env     *Env
	dir     string
	key     []byte
	minions []Minion
	keeper  *keeper
	once    sync.Once
	failed  error // of closing
}

// startLimit is how long everything may take to come up. Some seconds are usual; on
// busy machines with many network interfaces, minutes have been seen.
const startLimit = 15 * time.Minute

// Start starts a master and its minions, and returns when all of them answer.
// They end when the context does, when the master is closed, and at the latest
// with this process.
func (e *Env) Start(ctx context.Context, opts Options) (*Master, error) {
	if opts.Progress == nil {
		opts.Progress = func(string) {}
	}
	dir, err := tempDir()
	if err != nil {
		return nil, fmt.Errorf("start Salt: %w", err)
	}
	m := &Master{env: e, dir: dir, minions: opts.Minions, key: []byte(rand.Text() + rand.Text())}
	if err := m.start(ctx, opts); err != nil {
		err = fmt.Errorf("start Salt: %w", err)
		if ctx.Err() == nil {
			err = fmt.Errorf("%w\n%s", err, m.Logs())
		}
		return nil, errors.Join(err, m.Close())
	}
	context.AfterFunc(ctx, func() { _ = m.Close() }) // a call of Close gets the same error
	return m, nil
}

func (m *Master) start(ctx context.Context, opts Options) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startLimit, errors.New("it did not come up in "+startLimit.String()))
	defer cancel()
	began := time.Now()
	ports, err := freePorts(3)
	if err != nil {
		return err
	}
	port, err := m.configure(opts, ports)
	if err != nil {
		return err
	}
	programs := []program{{"master", m.env.Script("salt-master", "-c", m.path("master"), "-l", "warning"), m.path("master", "out")}}
	for _, minion := range opts.Minions {
		programs = append(programs, program{minion.ID, m.env.Script("salt-minion", "-c", m.path(minion.ID), "-l", "warning"), m.path(minion.ID, "out")})
	}
	if m.keeper, err = startKeeper(m.dir, programs, m.Environment()); err != nil {
		return err
	}
	wait := waiting{ctx: ctx, began: began, progress: opts.Progress, failed: m.broken}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port)))
	if err := wait.until("SpiroFS at "+address, func() bool { return listens(ctx, address) }); err != nil {
		return err
	}
	for _, minion := range opts.Minions {
		if err := wait.until("the minion "+minion.ID, func() bool { return m.ready(minion.ID) }); err != nil {
			return err
		}
	}
	// A minion may say in its log that it is ready before the master knows.
	if len(opts.Minions) > 0 {
		return wait.until("answers of all minions", func() bool { return m.allAnswer(ctx) })
	}
	return nil
}

// broken returns why the master will not come up, or nil.
func (m *Master) broken() error {
	if err := m.keeper.ended(); err != nil {
		return err
	}
	// Salt would go on without SpiroFS, and try again for ever.
	if log, err := os.ReadFile(m.path("master", "log")); err == nil && bytes.Contains(log, []byte("could not be started!")) {
		return errors.New("SpiroFS could not be started")
	}
	return nil
}

// ready reports whether a minion's log says so.
func (m *Master) ready(id string) bool {
	log, err := os.ReadFile(m.path(id, "log"))
	return err == nil && strings.Contains(string(log), "Minion is ready to receive requests!")
}

func listens(ctx context.Context, address string) bool {
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", address)
	if err == nil {
		err = conn.Close()
	}
	return err == nil
}

// Close ends the master and its minions, and removes what they have written.
func (m *Master) Close() error {
	m.once.Do(func() {
		if m.keeper != nil {
			m.failed = m.keeper.close()
		}
		// The keeper has done so, unless it never ran.
		if err := os.RemoveAll(m.dir); err != nil && m.failed == nil {
			m.failed = fmt.Errorf("remove Salt's directory: %w", err)
		}
	})
	return m.failed
}

// Root returns the directory that a minion's grain "root" names. It is there.
func (m *Master) Root(minion string) string { return m.path(minion, "root") }

// Temp returns a directory for whatever else a test writes. It goes when the master does,
// even if the test cannot clean up.
func (m *Master) Temp() string { return m.path("temp") }

// Log returns the path of the master's whole log.
func (m *Master) Log() string { return m.path("master", "log") }

// Key returns the key of the tokens, which is a file below pki_dir.
func (m *Master) Key() string { return string(m.key) }

// Cache returns the directory in which a minion caches the files of the master.
func (m *Master) Cache(minion, project, deployment string) string {
	return m.path(minion, "var", "files", project, deployment)
}

// DeploymentDir returns the directory in which SpiroFS keeps a deployment.
// SpiroFS quotes names that are not plain; this takes plain ones.
func (m *Master) DeploymentDir(project, deployment string) string {
	return m.path("master", "var", "spirofs", project, deployment)
}

// Freeze stops a minion's processes, as if its machine hung.
func (m *Master) Freeze(minion string) error {
	return m.signal(minion, "freeze", freeze)
}

// Thaw lets a frozen minion go on.
func (m *Master) Thaw(minion string) error {
	return m.signal(minion, "thaw", thaw)
}

func (m *Master) signal(minion, verb string, send func(int) error) error {
	if !slices.ContainsFunc(m.minions, func(it Minion) bool { return it.ID == minion }) {
		return fmt.Errorf("%s %s: there is no such minion", verb, minion)
	}
	if err := send(m.keeper.pids[minion]); err != nil {
		return fmt.Errorf("%s %s: %w", verb, minion, err)
	}
	return nil
}

// Logs returns the ends of all logs, to find out what went wrong.
func (m *Master) Logs() string {
	var b strings.Builder
	names := []string{"master"}
	for _, minion := range m.minions {
		names = append(names, minion.ID)
	}
	for _, name := range names {
		for _, kind := range []string{"log", "out"} {
			text, err := os.ReadFile(m.path(name, kind))
			if text = withoutNoise(text); err == nil && len(text) > 0 {
				text = bearer.ReplaceAll(text, []byte("Bearer [redacted]"))
				fmt.Fprintf(&b, "== %s, %s:\n%s\n", name, kind, tail(text, 3000))
			}
		}
	}
	return b.String()
}

// bearer matches a token in a log: SpiroFS logs the headers of a request that fails.
var bearer = regexp.MustCompile(`(?i)bearer +[^'", )]+`)

// withoutNoise leaves out what Salt says about SpiroFS's entry points, many times at each
// start. This package does not use them.
func withoutNoise(log []byte) []byte {
	var kept []byte
	for line := range bytes.Lines(log) {
		if !bytes.Contains(line, []byte("Error processing Salt Extension spirofs")) {
			kept = append(kept, line...)
		}
	}
	return kept
}

func (m *Master) path(elem ...string) string {
	return filepath.Join(append([]string{m.dir}, elem...)...)
}

// maxTemp is the longest name of the directory in bytes: Salt puts sockets
// below it, whose names must not be longer than some 100.
const maxTemp = 50

// tempDir makes a directory with a short name.
func tempDir() (string, error) {
	dir, err := os.MkdirTemp("", "salt-")
	if err != nil || len(dir) <= maxTemp {
		return dir, err
	}
	if err := os.Remove(dir); err != nil {
		return "", err
	}
	return os.MkdirTemp("/tmp", "salt-")
}

// freePorts returns loopback ports that are free now.
func freePorts(n int) ([]uint16, error) {
	var ports []uint16
	for range n {
		l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer func() { _ = l.Close() }() // not before all are found, so that none is found twice
		ports = append(ports, netip.MustParseAddrPort(l.Addr().String()).Port())
	}
	return ports, nil
}
