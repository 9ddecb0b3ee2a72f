package bundle_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/internal/ctxio"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
)

// allocated returns how many bytes do has allocated, whether or not they were kept.
func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestDeepNames are small tars with names of very many directories: what they take
// is of the order of their size.
func TestDeepNames(t *testing.T) {
	one := pack(t, file(strings.Repeat("a/", 40000)+"x", "x"))
	deepest := strings.Repeat("a/", 256)
	var headers []*tar.Header
	for i := range 300 {
		headers = append(headers, file(fmt.Sprintf("%d/%s", i, deepest[:2*255]), ""))
		headers[i].Name = strings.TrimSuffix(headers[i].Name, "/") + "x"
	}
	many := pack(t, headers...)
	for _, tt := range []struct {
		name, unsafe string
		data         []byte
	}{
		{"one", "bad name: has more than 4096 bytes", one},
		{"directories", "bad name: is more than 256 directories deep", pack(t, file(strings.Repeat("a/", 257)+"x", ""))},
		{"bytes", "bad name: has more than 4096 bytes", pack(t, file(strings.Repeat("a", 4097), ""))},
		{"target", "bad name: has more than 4096 bytes", pack(t, link("a", strings.Repeat("a", 4097)))},
		{"many", "", many},
	} {
		var c *bundle.Contents
		var err error
		held := allocated(func() { c, err = bundle.Verify(bytes.NewReader(tt.data)) })
		check(t, err)
		if tt.unsafe == "" && len(c.Unsafe) > 0 || tt.unsafe != "" && (len(c.Unsafe) != 1 || !strings.Contains(c.Unsafe[0].Error(), tt.unsafe)) {
			t.Errorf("%s: %.300s", tt.name, c.Unsafe)
		}
		if most := 8<<20 + 20*uint64(len(tt.data)); held > most {
			t.Errorf("%s: %d bytes were allocated for %d, more than %d", tt.name, held, len(tt.data), most)
		}
		if tt.name == "many" {
			continue
		}
		if name := filepath.Join(t.TempDir(), "x.tar"); os.WriteFile(name, tt.data, 0o644) == nil {
			if _, err := bundle.OpenFile(t.Context(), name); err == nil || len(err.Error()) > 20_000 {
				t.Errorf("%s: OpenFile: %.300v", tt.name, err)
			}
		}
	}
	// A bundle is bounded in the same way.
	dir := project(t, node{'f', "_salt/" + strings.Repeat("a/", 256) + "x", ""}, node{'f', "other/" + strings.Repeat("a/", 257) + "x", ""})
	build(t, bundle.Options{Dir: dir})
	ps := problems(t, bundle.Options{Dir: dir, Artifacts: []bundle.Artifact{{Path: "other", Name: "."}}})
	if !errors.Is(ps, bundle.ErrName) || !strings.Contains(ps.Error(), "is more than 256 directories deep") {
		t.Errorf("%v", ps)
	}
}

// TestManyLinks are links that lead through each other: to follow them all ends,
// and does with the context.
func TestManyLinks(t *testing.T) {
	t.Parallel()
	var headers []*tar.Header
	round := strings.Repeat("d/../", 800)
	for i := range 39 {
		headers = append(headers, link(fmt.Sprintf("l%02d", i), fmt.Sprintf("%sl%02d", round, i+1)))
	}
	headers = append(headers, folder("d/"), link("l39", "."))
	for i := range 3000 {
		headers = append(headers, link(fmt.Sprintf("m%04d", i), "l00"))
	}
	data := pack(t, headers...)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r := ctxio.Reader(ctx, &cancelling{bytes.NewReader(data), cancel})
	if _, err := bundle.Verify(r); !errors.Is(err, context.Canceled) {
		t.Errorf("error: %v", err)
	}
	c, err := bundle.Verify(bytes.NewReader(data[:512*2*600]))
	if err == nil {
		t.Errorf("half of it is %v", c)
	}
}

// cancelling ends a context when all has been read.
type cancelling struct {
	io.Reader
	cancel func()
}

func (c *cancelling) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		c.cancel()
	}
	return n, err
}

// TestManyProblems are listed a hundred at most.
func TestManyProblems(t *testing.T) {
	t.Parallel()
	var headers []*tar.Header
	for i := range 1000 {
		headers = append(headers, file(fmt.Sprintf("../%d", i), ""))
	}
	name := filepath.Join(t.TempDir(), "x.tar")
	check(t, os.WriteFile(name, pack(t, headers...), 0o644))
	_, err := bundle.OpenFile(t.Context(), name)
	if err == nil || strings.Count(err.Error(), "\n") != 101 || !strings.HasSuffix(err.Error(), "\n  and 900 more") {
		t.Errorf("error: %v", err)
	}
}

// TestManyForeign: of a tar in which each entry is another program's, the first reasons are kept
// and all are counted.
func TestManyForeign(t *testing.T) {
	t.Parallel()
	var headers []*tar.Header
	for i := range 3000 {
		h := file(fmt.Sprintf("%04d", i), "")
		h.Uid = 1000
		headers = append(headers, h)
	}
	data := pack(t, headers...)
	c, err := bundle.Verify(bytes.NewReader(data))
	check(t, err)
	if len(c.Foreign) != 1001 || !strings.Contains(c.Foreign[1000].Error(), "and 2000 reasons more") || len(c.Unsafe) > 0 {
		t.Errorf("%d foreign, %d unsafe", len(c.Foreign), len(c.Unsafe))
	}
	name := filepath.Join(t.TempDir(), "x.tar")
	check(t, os.WriteFile(name, data, 0o644))
	b, err := bundle.OpenFile(t.Context(), name)
	check(t, err)
	defer b.Close()
	if text := fmt.Sprint(b.Warnings()); !strings.Contains(text, `0000: has an owner (1000:0 "":""), not 0:0 without names (and 2999 more)`) {
		t.Error(text)
	}
}

// TestHuge: files with holes may have any size, and no sum of sizes is too large for a number.
func TestHuge(t *testing.T) {
	t.Parallel()
	sized := func(sizes ...int64) bundle.Options {
		var entries []bundle.Entry
		for i, size := range sizes {
			entries = append(entries, bundle.Entry{Name: string(rune('a' + i)), Size: size, Open: opens("")})
		}
		return bundle.Options{Dir: t.TempDir(), Scanners: []bundle.Scanner{of(entries...)}}
	}
	for _, sizes := range [][]int64{{math.MaxInt64}, {1 << 60, 1}, {1 << 62, 1 << 62}, {1 << 59, 1 << 59, math.MaxInt64 - 600}} {
		if ps := problems(t, sized(sizes...)); len(ps) != 1 || !strings.Contains(ps.Error(), " bytes, with which the bundle has more than an exbibyte") {
			t.Errorf("%v: %v", sizes, ps)
		}
	}
	b, err := bundle.New(t.Context(), sized(1<<59, 1<<33))
	check(t, err)
	defer b.Close()
	if b.Size() < 1<<59+1<<33 {
		t.Errorf("%d bytes", b.Size())
	}
}
