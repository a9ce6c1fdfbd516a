package simulator

import (
	"testing"

	"taxiway.example/pkg/broker/sbbroker/simulator/internal/amqp"
)

// TestSessionWindowViolation looks at the check itself: the server refreshes the
// window while it handles a transfer, so that no peer can get ahead of it.
func TestSessionWindowViolation(t *testing.T) {
	t.Parallel()
	s, err := New(Topology{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	c := &connection{server: s, out: newOutput(), sessions: map[uint16]*session{}, replies: map[string]*link{}}
	c.begin(3, amqp.Begin{})
	ss := c.sessions[3]
	ss.incomingWindow = 0
	ss.handle(amqp.Transfer{})
	if !ss.ended {
		t.Error("a transfer without a window did not end the session")
	}
}

// TestSlowReader: what a peer does not read is bounded.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	o := newOutput()
	frame := amqp.Transfer{Payload: make([]byte, 1<<20)}
	n := 0
	for o.frame(0, frame) {
		if n++; n > maxBuffered>>20 {
			t.Fatalf("%d MiB buffered", n)
		}
	}
}
