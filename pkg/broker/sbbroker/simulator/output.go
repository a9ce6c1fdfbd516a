package simulator

import (
	"net"
	"sync"
	"time"

	"taxiway.example/pkg/broker/sbbroker/simulator/internal/amqp"
)

// maxBuffered bounds what one slow reader can make the server hold.
const maxBuffered = 64 << 20

// output buffers what a connection has to write, so that nobody ever waits for
// the network while holding the server's mutex.
type output struct {
	mu   sync.Mutex
	buf  []byte
	last bool
	wake chan struct{}
}

func newOutput() *output { return &output{wake: make(chan struct{}, 1)} }

// frame queues a frame; false means the peer does not read and must go.
func (o *output) frame(channel uint16, p amqp.Performative) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.buf = amqp.AppendFrame(o.buf, amqp.TypeAMQP, channel, p)
	o.signal()
	return len(o.buf) <= maxBuffered
}

// finish lets run end once everything is written.
func (o *output) finish() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last = true
	o.signal()
}

func (o *output) signal() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// take returns what is to be written now, and whether that is all.
func (o *output) take(spare []byte) ([]byte, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := o.buf
	o.buf = spare[:0]
	return out, o.last
}

// run writes until finish is called or a write fails. Every heartbeat (0: never)
// it sends an empty frame: the peer closes a connection on which it hears
// nothing for its idle time-out (AMQP §2.4.5).
func (o *output) run(nc net.Conn, heartbeat time.Duration) {
	var tick <-chan time.Time
	if heartbeat > 0 {
		t := time.NewTicker(heartbeat)
		defer t.Stop()
		tick = t.C
	}
	var out []byte
	for last := false; !last; {
		select {
		case <-tick:
			o.frame(0, nil)
		case <-o.wake:
		}
		if cap(out) > 1<<20 {
			out = nil
		}
		out, last = o.take(out)
		if _, err := nc.Write(out); err != nil {
			_ = nc.Close() // the reader notices and cleans up
			return
		}
	}
}
