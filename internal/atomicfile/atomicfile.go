// Package atomicfile writes files that appear whole or not at all.
package atomicfile

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spirostack/spirodeploy/internal/ctxio"
)

// Stdout is the path that means standard output.
const Stdout = "-"

// Write lets fill write to the file at path, or to stdout if path is "-". A regular file
// appears under its name once it is complete, with the mode of the file that it
// replaces; if anything fails, the old file stays. If two runs write one file at once,
// both succeed, and the later file stays. Write follows a symbolic link. It writes to a
// pipe or device, and never replaces it. (It does not force the file to disk: a power
// failure may still lose it.)
//
// Write ends with the context, even if nobody reads a pipe; fill may then go on for a
// while, and must do no harm.
func Write(ctx context.Context, path string, stdout io.Writer, fill func(io.Writer) error) error {
	return write(ctx, path, stdout, false, fill)
}

// WriteSecret is Write for content that nobody else on the machine may read: only the
// owner may read a regular file, whatever the mode of the file that it replaces.
func WriteSecret(ctx context.Context, path string, stdout io.Writer, fill func(io.Writer) error) error {
	return write(ctx, path, stdout, true, fill)
}

// Check returns why [Write] to the file at path would fail, as far as it can be known
// beforehand. It makes the file that would become the one at path, and removes it.
func Check(path string) error {
	_, through, err := look(path)
	if path == Stdout || through || err != nil {
		return err
	}
	f, free, err := create(destination(path), 0o600)
	if err != nil {
		return withoutPath(err)
	}
	defer free()
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// Open opens the file at path, or stdout if path is "-", for content that others read
// while it is written. It empties a regular file at once. Opening a pipe waits for its
// reader until the context ends. Writes may go on for longer after that, for a last word.
func Open(ctx context.Context, path string, stdout io.Writer, longer time.Duration) (*Stream, error) {
	s := &Stream{out: stdout}
	if path != Stdout {
		// For writing only, or this process would be a reader of the pipe, too.
		const flags = os.O_WRONLY | os.O_CREATE
		f, err := ctxio.Done(ctx, func() (*os.File, error) { return os.OpenFile(path, flags, 0o666) })
		if err == nil {
			err = empty(f)
		}
		if err != nil {
			return nil, fmt.Errorf("write %s: %w", path, withoutPath(err))
		}
		s.out, s.file = f, f
	}
	s.ctx, s.end = context.WithCancelCause(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() {
		time.AfterFunc(longer, func() { s.end(ctxio.Reason(ctx)) })
	})
	return s, nil
}

// empty empties a regular file, unless another run writes to it.
func empty(f *os.File) (err error) {
	info, err := f.Stat()
	switch {
	case err != nil || !info.Mode().IsRegular():
	case !lock(f):
		err = errors.New("another run writes to it")
	default:
		err = f.Truncate(0)
	}
	if err != nil {
		_ = f.Close() // the reason is already an error
	}
	return err
}

// Stream is a file, or standard output, that [Open] has opened.
type Stream struct {
	ctx  context.Context
	end  context.CancelCauseFunc
	out  io.Writer
	file *os.File // nil for standard output, which stays open
	err  error    // of the first write that failed
}

// Write fails once the time for writing is over. No later write follows one that outlived
// its time.
func (s *Stream) Write(p []byte) (n int, err error) {
	defer func() { s.err = cmp.Or(s.err, err) }()
	if s.ctx.Err() != nil {
		return 0, ctxio.Reason(s.ctx)
	}
	p = bytes.Clone(p) // the write may outlive this call
	return ctxio.Done(s.ctx, func() (int, error) { return s.out.Write(p) })
}

// Close closes the file, even if a write is not done. It returns the error of the first write
// that failed.
func (s *Stream) Close() error {
	s.end(nil)
	if s.file == nil {
		return s.err
	}
	if s.err == nil { // else a write may go on, and only its end may end the lock
		unlock(s.file)
	}
	return cmp.Or(s.err, s.file.Close())
}

// CheckStdout fails if a writer is standard output, and the parent of this process has
// closed that. It is for output that would be lost.
func CheckStdout(stdout io.Writer) error {
	f, ok := stdout.(*os.File)
	if !ok || f != os.Stdout {
		return nil
	}
	// Go opens the null device in its place, for reading too, which a shell's redirection
	// does not.
	null, nullErr := os.Stat(os.DevNull)
	info, infoErr := f.Stat()
	if nullErr == nil && infoErr == nil && os.SameFile(info, null) {
		if _, err := f.Read(make([]byte, 1)); errors.Is(err, io.EOF) {
			return errors.New("write to standard output: standard output is closed")
		}
	}
	return nil
}

func write(ctx context.Context, path string, stdout io.Writer, secret bool, fill func(io.Writer) error) error {
	unhurried := fill
	fill = func(w io.Writer) error { return unhurried(ctxio.Writer(ctx, w)) }
	if path == Stdout {
		return wait(ctx, func() error { return fill(stdout) })
	}
	mode, through, err := look(path)
	switch {
	case err != nil:
		return fmt.Errorf("write %s: %w", path, err)
	case through:
		return wait(ctx, func() error { return writeThrough(path, fill) })
	}
	if secret {
		mode = 0o600
	}
	return replace(path, mode, fill)
}

// look looks at what is at path: the mode of a regular file, 0 if there is none, and whether
// it is a pipe or device, which is written to and not replaced.
func look(path string) (mode fs.FileMode, through bool, err error) {
	switch info, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
		// Another run may have made a file since.
		if link, err := os.Lstat(path); err == nil && link.Mode().Type() == fs.ModeSymlink {
			return 0, false, errors.New("it is a symbolic link to nothing")
		}
		return 0, false, nil
	case err != nil:
		return 0, false, withoutPath(err)
	case info.IsDir():
		return 0, false, errors.New("it is a directory")
	default:
		return info.Mode().Perm(), !info.Mode().IsRegular(), nil
	}
}

// destination returns the path of the file that a symbolic link leads to.
func destination(path string) string {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		return target
	}
	return path
}

// wait calls f, which may wait for the reader of a pipe, until the context ends.
func wait(ctx context.Context, f func() error) error {
	_, err := ctxio.Done(ctx, func() (any, error) { return nil, f() })
	return err
}

func writeThrough(path string, fill func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("write %w", err)
	}
	return errors.Join(fill(f), f.Close())
}

// replace writes to a file beside path and renames it. Mode 0 is that of a new file.
func replace(path string, mode fs.FileMode, fill func(io.Writer) error) (err error) {
	path = destination(path)
	removeLeft(path)
	f, free, err := create(path, cmp.Or(mode, 0o666)&0o666)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, withoutPath(err))
	}
	defer free()
	temp := f.Name()
	defer func() {
		if err != nil {
			_ = os.Remove(temp) // the reason is already an error
		}
	}()
	err = fill(f)
	if mode != 0 && err == nil {
		err = f.Chmod(mode)
	}
	if err = cmp.Or(err, f.Close()); err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, withoutPath(err))
	}
	return nil
}

// withoutPath strips the name of the temporary file, which means nothing to a person.
func withoutPath(err error) error {
	var pe *fs.PathError
	var le *os.LinkError
	switch {
	case errors.As(err, &pe):
		return pe.Err
	case errors.As(err, &le):
		return le.Err
	}
	return err
}
