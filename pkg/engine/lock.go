package engine

import "taxiway.example/pkg/dirlock"

// ErrLocked means that another process works on a data directory.
var ErrLocked = dirlock.ErrHeld

// lockName is the file whose lock stands for a data directory.
const lockName = "taxiway.lock"

// Lock makes the caller the only owner of a data directory until unlock is called or the process ends, however it ends.
// The directory is created when missing. A second owner gets ErrLocked with the first one's process id.
func Lock(dir string) (unlock func() error, err error) {
	held, err := dirlock.Acquire(dir, lockName)
	if err != nil {
		return nil, err
	}
	return held.Release, nil
}
