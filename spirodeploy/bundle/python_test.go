package bundle_test

import (
	"archive/tar"
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
)

// python is a process that reads tars with Python's tarfile, as the server does.
type python struct {
	mu  sync.Mutex
	in  io.Writer
	out *bufio.Scanner
}

func startPython(tb testing.TB) *python {
	tb.Helper()
	program := os.Getenv("SPIRODEPLOY_TEST_PYTHON") // another version than the first in PATH
	if program == "" {
		program = need(tb, "python3")
	}
	cmd := exec.Command(program, filepath.Join("testdata", "reader.py"))
	cmd.Env = append(os.Environ(), "PYTHONUTF8=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	check(tb, err)
	out, err := cmd.StdoutPipe()
	check(tb, err)
	check(tb, cmd.Start())
	p := &python{in: in, out: bufio.NewScanner(out)}
	p.out.Buffer(nil, 64<<20)
	tb.Cleanup(func() {
		_ = in.Close()
		check(tb, cmd.Wait())
	})
	return p
}

// list returns what Python finds in a tar: a line for each entry.
func (p *python) list(tb testing.TB, data []byte) string {
	tb.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	_, err := p.in.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(data))), data...))
	check(tb, err)
	if !p.out.Scan() {
		tb.Fatalf("Python is gone: %v", p.out.Err())
	}
	var found []any
	check(tb, json.Unmarshal(p.out.Bytes(), &found))
	var lines strings.Builder
	for _, f := range found {
		if m, ok := f.([]any); ok {
			f = fmt.Sprintf("%q %q %s %.0f", strings.TrimRight(m[0].(string), "/"), m[1], m[2], m[3])
		}
		fmt.Fprintln(&lines, f)
	}
	return lines.String()
}

// ours returns what Verify finds, in the same words. It reports whether the tar may be sent.
func ours(data []byte) (lines string, ok bool) {
	c, err := bundle.Verify(bytes.NewReader(data))
	if err != nil || len(c.Unsafe) > 0 {
		return "", false
	}
	var b strings.Builder
	for _, it := range c.Items {
		kind := "f"
		switch {
		case it.Mode.IsDir():
			kind = "d"
		case it.Mode&fs.ModeSymlink != 0:
			kind = "l"
		case it.Link != "":
			kind = "h"
		}
		fmt.Fprintf(&b, "%q %q %s %d\n", strings.TrimRight(it.Name, "/"), it.Link, kind, it.Size)
	}
	return b.String(), true
}

// same fails where a tar that may be sent is another to Python.
func (p *python) same(tb testing.TB, what string, data []byte) (accepted bool) {
	tb.Helper()
	want, ok := ours(data)
	if !ok {
		return false
	}
	if got := p.list(tb, data); got != want {
		file := filepath.Join(os.TempDir(), "spirodeploy-differs.tar")
		_ = os.WriteFile(file, data, 0o644)
		tb.Errorf("%s (kept in %s): Python finds\n%s\nVerify:\n%s", what, file, got, want)
	}
	return true
}

// TestForeignCases are tars that Python's tarfile reads otherwise than archive/tar:
// what that sees as harmless leaves the directory there.
func TestForeignCases(t *testing.T) {
	t.Parallel()
	cases, err := filepath.Glob(filepath.Join("testdata", "tar", "*.tar"))
	check(t, err)
	if len(cases) < 6 {
		t.Fatalf("%d cases", len(cases))
	}
	good := pack(t, file("a", ""))
	for _, name := range cases {
		_, err := bundle.OpenFile(t.Context(), name)
		if err == nil || !strings.HasPrefix(err.Error(), name+" is not safe to send: ") || !strings.Contains(err.Error(), "unsafe header at byte ") && !strings.Contains(err.Error(), "gzip") {
			t.Errorf("%s: %v", name, err)
		}
		data, err := os.ReadFile(name)
		check(t, err)
		for _, both := range [][2][]byte{{data, good}, {good, data}} {
			if changes, err := bundle.Diff(bytes.NewReader(both[0]), bytes.NewReader(both[1])); err == nil || !strings.Contains(err.Error(), "is unsafe") {
				t.Errorf("%s: Diff returns %v, %v", name, changes, err)
			}
		}
	}
}

// writers make tars of a directory as other programs do.
func writers(tb testing.TB) map[string]func(tb testing.TB, dir, to string) {
	all := map[string]func(tb testing.TB, dir, to string){}
	gnu, python := need(tb, "tar"), need(tb, "python3")
	for _, format := range []string{"gnu", "oldgnu", "pax", "ustar", "v7"} {
		all["GNU tar "+format] = func(tb testing.TB, dir, to string) { run(tb, dir, gnu, "--format="+format, "-cf", to, ".") }
	}
	for _, format := range []string{"GNU", "PAX", "USTAR"} {
		all["Python "+format] = func(tb testing.TB, dir, to string) {
			run(tb, dir, python, "-c", "import sys, tarfile\nwith tarfile.open(sys.argv[1], 'w', format=tarfile."+format+"_FORMAT) as t: t.add('.')", to)
		}
	}
	for _, format := range []tar.Format{tar.FormatGNU, tar.FormatPAX, tar.FormatUSTAR} {
		all["archive/tar "+format.String()] = func(tb testing.TB, dir, to string) { check(tb, goTar(dir, to, format)) }
	}
	if bsdtar, err := exec.LookPath("bsdtar"); err == nil {
		for _, format := range []string{"gnutar", "pax", "ustar", "v7tar", "paxr"} {
			all["bsdtar "+format] = func(tb testing.TB, dir, to string) { run(tb, dir, bsdtar, "--format="+format, "-cf", to, ".") }
		}
	}
	return all
}

func goTar(dir, to string, format tar.Format) error {
	var buf bytes.Buffer
	tw := tar.NewWriter(&buf)
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || file == dir {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		target, _ := os.Readlink(file) // of what is one
		h, err := tar.FileInfoHeader(info, target)
		if err != nil {
			return err
		}
		h.Name, h.Format = "./"+strings.TrimPrefix(file, dir+"/"), format
		if d.IsDir() {
			h.Name += "/"
		}
		if format != tar.FormatPAX {
			// Where GNU tar's times stand, Python sees a prefix of the name.
			h.ModTime, h.AccessTime, h.ChangeTime = h.ModTime.Truncate(time.Second), time.Time{}, time.Time{}
		}
		if err := tw.WriteHeader(h); err != nil || !info.Mode().IsRegular() {
			return err
		}
		content, err := os.ReadFile(file)
		if err == nil {
			_, err = tw.Write(content)
		}
		return err
	})
	if err == nil {
		err = tw.Close()
	}
	if err == nil {
		err = os.WriteFile(to, buf.Bytes(), 0o644)
	}
	return err
}

// TestCommonTools: what they write may be sent, and is the same to Python.
func TestCommonTools(t *testing.T) { //nolint:tparallel // one Python answers all of them
	t.Parallel()
	p := startPython(t)
	simple := []node{{'f', "top.sls", "x"}, {'f', "d/empty", ""}, {'x', "d/run", "#!/bin/sh\n"}, {'l', "d/link", "../top.sls"}, {'d', "e", ""}}
	split := node{'f', strings.Repeat("d", 60) + "/" + strings.Repeat("x", 60), "prefix"}
	longer := []node{
		{'f', strings.Repeat("d/", 80) + "x", "long"}, {'f', "größe", "umlaut"}, {'f', strings.Repeat("y", 180), "long"},
		{'l', "long", strings.Repeat("./", 60) + "top.sls"}, {'l', strings.Repeat("z", 120), strings.Repeat("./", 60) + "top.sls"},
	}
	for name, write := range writers(t) {
		t.Run(name, func(t *testing.T) {
			nodes := slices.Clone(simple)
			if !strings.Contains(name, "v7") {
				nodes = append(nodes, split)
			}
			if !strings.Contains(name, "v7") && !strings.Contains(strings.ToLower(name), "ustar") {
				nodes = append(nodes, longer...)
			}
			if name == "Python USTAR" {
				nodes = append(nodes, node{'f', strings.Repeat("d", 120) + "/x", "below a name that is all prefix"})
			}
			dir, to := project(t, nodes...), filepath.Join(t.TempDir(), "t.tar")
			check(t, os.Link(filepath.Join(dir, "top.sls"), filepath.Join(dir, "top2.sls")))
			write(t, dir, to)
			data, err := os.ReadFile(to)
			check(t, err)
			if !p.same(t, name, data) {
				c, err := bundle.Verify(bytes.NewReader(data))
				t.Errorf("refused: %v, %v", err, c)
			}
		})
	}
	t.Run("git archive", func(t *testing.T) {
		dir := repository(t, append(slices.Clone(simple), longer...)...)
		to := filepath.Join(t.TempDir(), "t.tar")
		run(t, dir, "git", "archive", "--output", to, "HEAD")
		data, err := os.ReadFile(to)
		check(t, err)
		if !p.same(t, "git archive", data) {
			c, err := bundle.Verify(bytes.NewReader(data))
			t.Errorf("refused: %v, %v", err, c)
		}
	})
}

// mutants is how many changed tars TestAsPython tries.
const mutants = 20000

// TestAsPython changes tars at random, always in the same way: those that may be
// sent are the same to Python.
func TestAsPython(t *testing.T) {
	t.Parallel()
	p := startPython(t)
	n := mutants
	if more, err := strconv.Atoi(os.Getenv("SPIRODEPLOY_TEST_MUTANTS")); err == nil {
		n = more
	}
	seeds := seedTars(t)
	accepted := 0
	for _, s := range seeds {
		if p.same(t, "a seed", s) {
			accepted++
		}
	}
	if accepted != len(seeds) {
		t.Errorf("%d of %d seeds are accepted", accepted, len(seeds))
	}
	accepted = 0
	for i := range n {
		m := &mutator{rand.New(rand.NewPCG(1, uint64(i)))}
		data := slices.Clone(seeds[m.IntN(len(seeds))])
		for range 1 + m.IntN(3) {
			data = m.change(data)
		}
		if p.same(t, fmt.Sprintf("mutant %d", i), data) {
			accepted++
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%d of %d mutants were accepted", accepted, n)
	if accepted < n/20 || accepted > n*19/20 {
		t.Errorf("%d of %d mutants were accepted: they are all much the same", accepted, n)
	}
}

// FuzzAsPython is the long form of TestAsPython. Checksums are mended.
func FuzzAsPython(f *testing.F) {
	p := startPython(f)
	for _, s := range seedTars(f) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p.same(t, "input", data)
		p.same(t, "input with mended checksums", mended(data))
	})
}

// seedTars are tars that may be sent, in all formats.
func seedTars(tb testing.TB) [][]byte {
	tb.Helper()
	in := func(format tar.Format, h *tar.Header) *tar.Header {
		h.Format = format
		return h
	}
	hard := func(name, target string) *tar.Header {
		return with(link(name, target), func(h *tar.Header) { h.Typeflag = tar.TypeLink })
	}
	var seeds [][]byte
	for _, f := range []tar.Format{tar.FormatUSTAR, tar.FormatPAX, tar.FormatGNU} {
		seeds = append(seeds,
			pack(tb, in(f, folder("d/")), in(f, file("d/x", "content")), in(f, link("l", "d/x")), in(f, hard("m", "d/x"))),
			pack(tb, in(f, file("ok.txt", strings.Repeat("x", 1000))), in(f, file("run", "")), in(f, link("d", "ok.txt"))))
	}
	for _, f := range []tar.Format{tar.FormatPAX, tar.FormatGNU} {
		seeds = append(seeds, pack(tb, in(f, file(long+"x", "x")), in(f, file("größe", "x")), in(f, link(deep, strings.Repeat("./", 60)+"größe"))))
	}
	old := pack(tb, file("a", "content"), file("b", ""))
	for i := range 2 {
		old = patch(old, 2*i, 257, strings.Repeat("\x00", 255))
		old = patch(old, 2*i, atFlag, "\x00")
	}
	return append(
		seeds, old,
		pack(tb, &tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": strings.Repeat("a", 40)}}, file("a", "x")),
		pack(tb, file(strings.Repeat("d", 60)+"/"+strings.Repeat("x", 60), "prefix"), file("z", "")),
	)
}

// mutator changes tars.
type mutator struct{ *rand.Rand }

func (m *mutator) change(data []byte) []byte {
	blocks := len(data) / 512
	if blocks == 0 {
		return data
	}
	at := m.IntN(blocks) * 512
	if heads := headers(data); len(heads) > 0 && m.IntN(4) > 0 {
		at = heads[m.IntN(len(heads))]
	}
	block := data[at:][:512]
	switch m.IntN(12) {
	case 0, 1, 2, 3, 4:
		m.field(block)
	case 5:
		block[m.IntN(512)] = byte(m.IntN(256))
	case 6: // a bit
		block[m.IntN(512)] ^= 1 << m.IntN(8)
	case 7: // another header before it
		return mended(slices.Insert(data, at, m.extension()...))
	case 8:
		from := m.IntN(blocks) * 512
		return mended(slices.Insert(data, at, slices.Clone(data[from:][:512*(1+m.IntN(min(3, blocks-from/512)))])...))
	case 9:
		return mended(slices.Delete(data, at, at+512))
	case 10:
		if m.IntN(2) == 0 {
			return data[:m.IntN(len(data))]
		}
		return append(data, make([]byte, m.IntN(1025))...)
	case 11: // without a mended checksum
		block[m.IntN(512)] = byte(m.IntN(256))
		return data
	}
	return mended(data)
}

// field puts something into a field of a header.
func (m *mutator) field(block []byte) {
	set := func(at, size int, values ...string) {
		field := block[at:][:size]
		if m.IntN(2) == 0 {
			clear(field)
		}
		copy(field, values[m.IntN(len(values))])
	}
	names := []string{
		"a", "../../evil", "/etc/passwd", "d/../../x", "..", ".", "./", "", "d/", "d//", "\xc3\xa9", "\xff", "x\x00y", " ", "a/", "/", "//",
		"\x1f\x8b", "BZh91AY&SY", "]\x00\x00\x80", "a\n", "ok.txt", "l/x", strings.Repeat("n", 100), strings.Repeat("p/", 50),
	}
	numbers := []string{
		"0", "00000000000", "7", "00000000007\x00", "0000001\x00", "   1 ", "1 \x00", "-1", "+1", "0o1", "1_0", "8", "\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01", "\x80",
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "\xff", "\x81", "\x80\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff", "777777777777", "\x00\x001", " \x001", "1\x002", "\t1", "1\n", "1.0", "0x1",
		"00000001000", "00000000777", "\xc0", "77777777", "        ", "\x00\x00\x00\x00\x00\x00\x00\x00",
	}
	switch m.IntN(12) {
	case 0:
		set(0, 100, names...)
	case 1:
		set(157, 100, names...)
	case 2:
		set(345, 155, names...)
	case 3, 4:
		set(124, 12, numbers...)
	case 5:
		at := [][2]int{{100, 8}, {108, 8}, {116, 8}, {136, 12}, {329, 8}, {337, 8}}[m.IntN(6)]
		set(at[0], at[1], numbers...)
	case 6, 7:
		block[atFlag] = "\x000123456789xgLKSXDMNVAZ "[m.IntN(24)]
	case 8, 9:
		set(257, 8, "ustar\x0000", "ustar  \x00", "ustar\x00  ", "ustar\x00\x00\x00", "ustar 00", "\x00\x00\x00\x00\x00\x00\x00\x00", "ustar\x0001", "USTAR\x0000", "ustar  0")
	case 10:
		set(500, 12, "tar\x00", "\x00\x00\x00\x00\x00\x00\x00\x00tar\x00", "x")
	case 11:
		set(265, 64, "root", "\xff", "a\x00b")
	}
}

// extension returns a header for what is to come, with its content.
func (m *mutator) extension() []byte {
	pick := func(values ...string) string { return values[m.IntN(len(values))] }
	var content []byte
	flag := pick("x", "x", "x", "g", "L", "K", "X")
	magic := "ustar\x0000"
	switch flag {
	case "L", "K":
		magic = pick("ustar  \x00", "ustar  \x00", magic)
		content = []byte(pick("a\x00", "evil/../../x\x00", "a", "\x00", "", "b/\x00", "x\x00y\x00", strings.Repeat("q", 130)+"\x00", "../evil\x00", "\xff\x00", "a\x00\x00"))
	default:
		for range m.IntN(3) {
			key := pick("path", "path", "linkpath", "size", "mtime", "uid", "comment", "SCHILY.xattr.user.x", "GNU.sparse.name", "hdrcharset", "unknown", "uname", "", "path\x00", " path", "Path")
			value := pick("a", "b/c", "../../evil", "/abs", "", "7", "0", "1000", "-1", "1_0", " 7", "7 ", "1.5", "nan", "a/", "a\x00b", "\xff", "é", "x\n20 path=evil", "BINARY", "20 hdrcharset=BINARY\n")
			content = append(content, m.record(key, value)...)
		}
	}
	size := len(content)
	if m.IntN(8) == 0 {
		size = max(0, size+m.IntN(9)-4)
	}
	block := make([]byte, 512)
	copy(block, "PaxHeaders.0/x")
	copy(block[100:], "0000644\x000000000\x000000000\x00")
	copy(block[124:], fmt.Sprintf("%011o\x0000000000000\x00        %s", size, flag))
	copy(block[257:], magic)
	content = append(content, make([]byte, (512-len(content)%512)%512)...)
	if m.IntN(10) == 0 && len(content) > 0 {
		content[len(content)-1] = 'x'
	}
	return append(block, content...)
}

func (m *mutator) record(key, value string) string {
	body := " " + key + "=" + value + "\n"
	n := len(body) + 1
	for len(strconv.Itoa(n))+len(body) != n {
		n++
	}
	switch m.IntN(12) {
	case 0:
		n += m.IntN(5) - 2
	case 1:
		return "0" + strconv.Itoa(n+1) + body
	case 2:
		return " " + strconv.Itoa(n+1) + body
	}
	return strconv.Itoa(n) + body
}

// headers returns where headers are, going by their magic.
func headers(data []byte) (found []int) {
	for at := 0; at+512 <= len(data); at += 512 {
		if string(data[at+257:][:5]) == "ustar" || at == 0 {
			found = append(found, at)
		}
	}
	return found
}

// mended makes the checksums of all headers right.
func mended(data []byte) []byte {
	for _, at := range headers(data) {
		data = patch(data, at/512, 0, "")
	}
	return data
}
