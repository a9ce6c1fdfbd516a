package natsbroker

import (
	"os"

	"golang.org/x/sys/windows"
)

// flock locks a byte far behind the owner's note, which thereby stays readable.
func flock(f *os.File) error {
	at := windows.Overlapped{Offset: 1 << 20}
	return windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &at)
}
