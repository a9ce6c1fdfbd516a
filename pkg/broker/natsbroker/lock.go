package natsbroker

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// ErrLocked means that another owner runs a broker on the directory.
var ErrLocked = errors.New("the broker directory is in use")

const (
	lockName = "taxiway-broker.lock"
	maxOwner = 200 // bytes read of the owner's note
)

// acquire locks the directory for as long as the file stays open: a process that dies gives it back.
func acquire(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("broker lock: %w", err)
	}
	if err := flock(f); err != nil {
		owner, _ := io.ReadAll(io.LimitReader(f, maxOwner)) // only for the message
		return nil, errors.Join(fmt.Errorf("%w: %s is held by %s: %w", ErrLocked, dir, ownerOf(owner), err), f.Close())
	}
	if err := note(f); err != nil {
		return nil, errors.Join(fmt.Errorf("broker lock: %w", err), f.Close())
	}
	return f, nil
}

func ownerOf(note []byte) string {
	if s := strings.TrimSpace(string(note)); s != "" {
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
