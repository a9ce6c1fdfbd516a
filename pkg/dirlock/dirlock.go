// Package dirlock keeps a directory to one owner. The operating system holds the lock, so that a process which ends,
// however it ends, gives it back; a note in the file says who holds it.
package dirlock

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// ErrHeld means that somebody else, in this process or another, holds the lock.
var ErrHeld = errors.New("the directory is in use")

const maxNote = 200 // bytes read of the owner's note

// Lock is a directory held.
type Lock struct{ file *os.File }

// Acquire takes the lock of a directory, which is created when missing. The name is that of the lock's file; locks of
// different names do not exclude one another. An error that matches ErrHeld names the directory and its owner.
func Acquire(dir, name string) (*Lock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("directory lock: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("directory lock: %w", err)
	}
	if err := lock(f); err != nil {
		if errors.Is(err, ErrHeld) {
			err = fmt.Errorf("%w: %s is held by %s", ErrHeld, dir, owner(f))
		}
		return nil, errors.Join(err, f.Close())
	}
	if err := note(f); err != nil {
		return nil, errors.Join(fmt.Errorf("directory lock: %w", err), f.Close())
	}
	return &Lock{f}, nil
}

// Release gives the directory back.
func (l *Lock) Release() error { return l.file.Close() }

// owner reads who holds the lock. It is only for the message.
func owner(f *os.File) string {
	raw, err := io.ReadAll(io.LimitReader(f, maxNote))
	if s := strings.TrimSpace(string(raw)); err == nil && s != "" {
		return s
	}
	return "another process"
}

// note leaves word of who holds the lock.
func note(f *os.File) error {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "process %d on %s since %s\n", os.Getpid(), host, time.Now().UTC().Format(time.RFC3339))
	return err
}
