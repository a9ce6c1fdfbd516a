package sbbroker

import (
	"io"
	"net"
	"sync"
	"testing"
)

// line relays TCP to a namespace; it can be cut, and can refuse to be mended.
type line struct {
	ln net.Listener
	to string

	mu      sync.Mutex
	open    map[net.Conn]bool
	refuse  int
	closed  bool
	running sync.WaitGroup
}

func newLine(t *testing.T, to string) *line {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &line{ln: ln, to: to, open: map[net.Conn]bool{}}
	l.running.Go(l.accept)
	t.Cleanup(l.close)
	return l
}

func (l *line) accept() {
	for {
		near, err := l.ln.Accept()
		if err != nil {
			return
		}
		l.running.Go(func() { l.relay(near) })
	}
}

func (l *line) relay(near net.Conn) {
	defer near.Close()
	if l.refuses() {
		return
	}
	far, err := net.Dial("tcp", l.to)
	if err != nil {
		return
	}
	defer far.Close()
	if !l.add(near, far) {
		return
	}
	l.running.Go(func() { pipe(near, far) })
	pipe(far, near)
	l.remove(near, far)
}

// pipe copies until one end goes, and takes the other with it.
func pipe(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	_ = to.Close()
	_ = from.Close()
}

func (l *line) refuses() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refuse--
	return l.refuse >= 0
}

func (l *line) add(conns ...net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range conns {
		l.open[c] = true
	}
	return !l.closed
}

func (l *line) remove(conns ...net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range conns {
		delete(l.open, c)
	}
}

// cut drops all connections and refuses the next ones.
func (l *line) cut(refuse int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refuse = refuse
	for c := range l.open {
		_ = c.Close()
	}
}

func (l *line) close() {
	_ = l.ln.Close()
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.cut(0)
	l.running.Wait()
}
