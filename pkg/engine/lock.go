package engine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// ErrLocked means that another process works on a data directory.
var ErrLocked = errors.New("the data directory is in use")

// errHeld is what lockFile returns when somebody else holds the lock.
var errHeld = errors.New("held")

// lockName is the file whose lock stands for a data directory.
const lockName = "taxiway.lock"

// Lock makes the caller the only owner of a data directory until unlock is called or the process ends, however it ends. The
// directory is created when missing. A second owner gets ErrLocked with the first one's process id.
func Lock(dir string) (unlock func() error, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	name := filepath.Join(dir, lockName)
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if err := lockFile(f); err != nil {
		f.Close()
		if errors.Is(err, errHeld) {
			return nil, fmt.Errorf("%w: %s by process %s", ErrLocked, dir, owner(name))
		}
		return nil, fmt.Errorf("locking %s: %w", name, err)
	}
	if err := errors.Join(f.Truncate(0), write(f, os.Getpid())); err != nil {
		f.Close()
		return nil, fmt.Errorf("locking %s: %w", name, err)
	}
	return f.Close, nil
}

func write(f *os.File, pid int) error {
	_, err := fmt.Fprintln(f, pid)
	return err
}

func owner(name string) string {
	raw, err := os.ReadFile(name)
	if pid := strings.TrimSpace(string(raw)); err == nil && pid != "" {
		return pid
	}
	return "unknown"
}
