package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"taxiway.example/pkg/awaittest"
)

// host is an address at which one pipeline process after the other serves the API. The address stays when a process
// dies: the listener belongs to the test.
type host struct {
	url  string
	ln   *os.File
	dir  string
	logs logbook

	mu      sync.Mutex
	running *exec.Cmd
	stdin   io.Closer
	deaths  int
	err     error // why there is no process any more that should be
	ended   chan struct{}
}

func newHost(t *testing.T) *host {
	t.Helper()
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f, err := ln.(*net.TCPListener).File()
	if err := errors.Join(err, ln.Close()); err != nil {
		t.Fatal(err)
	}
	h := &host{url: "http://" + ln.Addr().String(), ln: f, dir: t.TempDir()}
	t.Cleanup(func() {
		h.kill()
		_ = f.Close() // the last one who holds the address
		h.sane(t)
	})
	return h
}

// run keeps a process running: when it has been killed, next says what its successor is to do.
func (h *host) run(t *testing.T, first order, next func(deaths int) order) {
	t.Helper()
	first.Passed = filepath.Join(h.dir, "passed")
	if err := h.start(first); err != nil {
		t.Fatal(err)
	}
	h.ended = make(chan struct{})
	go h.supervise(next)
}

func (h *host) start(o order) error {
	o.Passed = filepath.Join(h.dir, "passed")
	raw, err := json.Marshal(o)
	if err != nil {
		return err
	}
	file := filepath.Join(h.dir, "order.json")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		return err
	}
	cmd := exec.Command(os.Args[0]) // this program; its standard input ends it
	cmd.Env = append(os.Environ(), childVariable+"="+file)
	cmd.Stderr = &h.logs
	cmd.ExtraFiles = []*os.File{h.ln}
	stdin, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.running = cmd
	h.stdin = stdin
	return nil
}

func (h *host) supervise(next func(int) order) {
	defer close(h.ended)
	for {
		err := h.running.Wait()
		h.mu.Lock()
		h.running = nil
		h.deaths++
		n := h.deaths
		over := h.stdin == nil
		if !over && !killed(err) {
			h.err = fmt.Errorf("a process ended by itself: %w", err)
			over = true
		}
		h.mu.Unlock()
		if over {
			return
		}
		if err := h.start(next(n)); err != nil {
			h.fail(err)
			return
		}
	}
}

func (h *host) fail(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.err = err
}

// trouble returns why there is no process, and how many have died.
func (h *host) trouble() (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.deaths, h.err
}

func killed(err error) bool {
	exit, ok := errors.AsType[*exec.ExitError](err)
	return ok && strings.Contains(exit.String(), "signal: killed")
}

// kill ends the process at once, and for good.
func (h *host) kill() {
	h.mu.Lock()
	h.stdin = nil
	if h.running != nil {
		_ = h.running.Process.Kill() // it may have ended
	}
	h.mu.Unlock()
	if h.ended != nil {
		<-h.ended
	}
}

// sane checks that no process panicked or raced.
func (h *host) sane(t *testing.T) {
	t.Helper()
	for _, sign := range []string{"DATA RACE", "\npanic: ", "fatal error: ", `"panic"`} {
		if i := bytes.Index(h.logs.bytes(), []byte(sign)); i >= 0 {
			t.Errorf("a process wrote %q: %s", sign, h.logs.bytes()[i:min(i+2000, len(h.logs.bytes()))])
		}
	}
}

// passed returns the boundaries passed so far, in order.
func (h *host) passed(t *testing.T) []string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(h.dir, "passed"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(raw)), "\n")
}

// as is the API as tenant number n sees it.
func (h *host) as(n int) Client { return Client{h.url, Key(n)} }

// submit sends a file again and again under one key until it is answered, as a sender does whose connection breaks.
func (h *host) submit(t *testing.T, n int, csv []byte) batch {
	t.Helper()
	b := batch{Client: h.as(n)}
	awaittest.State(t, "the file is taken", func(ctx context.Context) (deaths int, ok bool) {
		s, err := b.Submit(ctx, csv, "file-1")
		b.id = s.ID
		deaths, trouble := h.trouble()
		if trouble != nil {
			t.Fatal(trouble)
		}
		return deaths, err == nil
	})
	return b
}
