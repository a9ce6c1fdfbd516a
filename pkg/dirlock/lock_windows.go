package dirlock

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/windows"
)

// lock returns ErrHeld when somebody else has the lock: one byte far behind the owner's note, which thereby stays
// readable.
func lock(f *os.File) error {
	at := windows.Overlapped{OffsetHigh: 1}
	err := windows.LockFileEx(
		windows.Handle(f.Fd()),
		windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY,
		0,
		1,
		0,
		&at,
	)
	switch {
	case errors.Is(err, windows.ERROR_LOCK_VIOLATION):
		return ErrHeld
	case err != nil:
		return fmt.Errorf("directory lock: %s: %w", f.Name(), err)
	}
	return nil
}
