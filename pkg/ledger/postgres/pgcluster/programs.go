package pgcluster

import (
	"cmp"
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
)

// ErrMissing means that this machine has no PostgreSQL.
var ErrMissing = errors.New(
	`PostgreSQL is not installed: initdb and postgres are neither in PATH nor in /usr/lib/postgresql; ` +
		`install the Debian package "postgresql"`,
)

// debian is where Debian keeps the programs of each major version.
const debian = "/usr/lib/postgresql/*/bin"

// find returns the directory of initdb and postgres: that in PATH, else the newest version's of those that the pattern
// matches.
func find(pattern string) (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil && complete(filepath.Dir(path)) {
		return filepath.Dir(path), nil
	}
	found, _ := filepath.Glob(pattern) // ours are well-formed
	slices.SortFunc(found, func(a, b string) int { return cmp.Compare(version(b), version(a)) })
	for _, dir := range found {
		if complete(dir) {
			return dir, nil
		}
	}
	return "", ErrMissing
}

func version(dir string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(dir))) // 0, the oldest, for what is no number
	return n
}

func complete(dir string) bool {
	for _, name := range []string{"initdb", "postgres"} {
		if _, err := exec.LookPath(filepath.Join(dir, name)); err != nil {
			return false
		}
	}
	return true
}
