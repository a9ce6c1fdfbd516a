//go:build !linux

package pgcluster

import (
	"os/exec"
	"syscall"
)

// owner is whom the server runs as: always the caller.
type owner struct{}

func serverOwner() (*owner, error) { return nil, nil }

func (*owner) take(string) error { return nil }

func (*owner) attributes() *syscall.SysProcAttr { return nil }

func launch(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, done: make(chan struct{})}
	cmd.Stdout = &p.output
	cmd.Stderr = &p.output
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}
