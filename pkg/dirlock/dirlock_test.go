package dirlock_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"taxiway.example/pkg/dirlock"
)

const (
	name  = "test.lock"
	child = "DIRLOCK_TEST_DIR"
)

// TestMain is also the other process: it takes the lock, says so, and holds it until its standard input ends or it is
// killed.
func TestMain(m *testing.M) {
	dir := os.Getenv(child)
	if dir == "" {
		os.Exit(m.Run())
	}
	if _, err := dirlock.Acquire(dir, name); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("held")
	_, _ = os.Stdin.Read(make([]byte, 1))
}

func TestASecondOwnerIsToldWhoTheFirstIs(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "not", "there")
	first, err := dirlock.Acquire(dir, name)
	if err != nil {
		t.Fatal(err)
	}
	_, err = dirlock.Acquire(dir, name)
	if !errors.Is(err, dirlock.ErrHeld) || !strings.Contains(err.Error(), fmt.Sprintf("process %d ", os.Getpid())) ||
		!strings.Contains(err.Error(), dir) {
		t.Errorf("the second owner was told %v", err)
	}
	other, err := dirlock.Acquire(dir, "other.lock")
	if err != nil {
		t.Errorf("a lock of another name: %v", err)
	}
	for _, l := range []*dirlock.Lock{first, other} {
		if err := l.Release(); err != nil {
			t.Error(err)
		}
	}
	again, err := dirlock.Acquire(dir, name)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Release(); err != nil {
		t.Error(err)
	}
}

// A process that is killed has no chance to give anything back.
func TestAKilledOwnerHoldsNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), child+"="+dir)
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := make([]byte, 100)
	if n, _ := out.Read(said); !strings.HasPrefix(string(said[:n]), "held") {
		t.Fatalf("the other process says %q", said[:n])
	}
	_, err = dirlock.Acquire(dir, name)
	if want := fmt.Sprintf("process %d ", cmd.Process.Pid); !errors.Is(err, dirlock.ErrHeld) ||
		!strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want the owner %s", err, want)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	l, err := dirlock.Acquire(dir, name)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Release(); err != nil {
		t.Error(err)
	}
}

func TestWhatCannotBeLocked(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := dirlock.Acquire(file, name); err == nil || errors.Is(err, dirlock.ErrHeld) {
		t.Errorf("a file in the place of the directory: %v", err)
	}
	if _, err := dirlock.Acquire(filepath.Dir(file), filepath.Join("no", name)); err == nil ||
		errors.Is(err, dirlock.ErrHeld) {
		t.Errorf("a name that cannot be: %v", err)
	}
}
