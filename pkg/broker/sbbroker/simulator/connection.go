package simulator

import (
	"bufio"
	"errors"
	"net"
	"sync"
	"time"

	"taxiway.example/pkg/broker/sbbroker/simulator/internal/amqp"
)

// What the server says in open ("AMQP 1.0 in Azure Service Bus protocol guide";
// Azure's idle time-out is 240 s).
const (
	maxFrameSize     = 64 << 10
	minMaxFrameSize  = 512 // AMQP §2.7.1
	channelMax       = 4999
	idleTimeout      = 240 * time.Second
	handshakeTimeout = 30 * time.Second
	closeTimeout     = 5 * time.Second
)

// connection is one AMQP connection. All but nc, reader and out is guarded by
// the server's mutex.
type connection struct {
	server *Server
	nc     net.Conn
	reader *bufio.Reader
	out    *output
	peer   amqp.Open

	sessions   map[uint16]*session
	authorized map[string]time.Time // lower-case path → expiry of its token
	replies    map[string]*link     // reply address or link name → link of a request-response node
	linkCount  int
	idle       *timer
	closing    bool // a close has been sent
	gone       bool
}

// serve runs a connection from its first byte to its last.
func (s *Server) serve(nc net.Conn) {
	c := &connection{
		server:     s,
		nc:         nc,
		reader:     bufio.NewReader(nc),
		out:        newOutput(),
		sessions:   map[uint16]*session{},
		authorized: map[string]time.Time{},
		replies:    map[string]*link{},
	}
	defer nc.Close() //nolint:errcheck // the connection is over either way
	if !s.admit(c) {
		return
	}
	defer s.forget(c)
	if err := c.handshake(); err != nil {
		s.log.Debug("handshake failed", "err", err)
		return
	}
	var writer sync.WaitGroup
	writer.Go(func() { c.out.run(nc, time.Duration(c.peer.IdleTimeout)*time.Millisecond/2) })
	s.opened(c)
	err := c.read()
	s.log.Debug("connection ended", "err", err)
	_ = nc.SetWriteDeadline(time.Now().Add(closeTimeout)) // fails only if nc is closed already
	c.out.finish()
	writer.Wait()
}

func (s *Server) admit(c *connection) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.refuse > 0 {
		s.refuse = max(s.refuse-1, 0)
		return false
	}
	s.conns[c] = struct{}{}
	return true
}

func (s *Server) opened(c *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.watch(firstLinkTimeout)
}

// forget removes a connection that has ended. Locked messages stay locked until
// their lock ends ("Message transfers, locks, and settlement").
func (s *Server) forget(c *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	c.drop()
}

// drop lets go of sessions and links without telling the peer.
func (c *connection) drop() {
	if c.gone {
		return
	}
	c.gone = true
	c.server.clock.stop(c.idle)
	for _, ss := range c.sessions {
		ss.drop()
	}
}

// abort cuts the connection.
func (c *connection) abort() {
	c.drop()
	_ = c.nc.Close()
}

// read handles frames until the connection ends.
func (c *connection) read() error {
	for {
		if err := c.patience(); err != nil {
			return err
		}
		f, err := amqp.ReadFrame(c.reader, maxFrameSize)
		if err != nil {
			c.malformed(err)
			return err
		}
		if len(f.Body) == 0 {
			continue // heartbeat
		}
		p, err := amqp.DecodePerformative(f.Body)
		if err == nil && f.Type != amqp.TypeAMQP {
			err = amqp.ErrFraming
		}
		if err != nil {
			c.malformed(err)
			continue // until the peer closes or closeTimeout passes
		}
		if c.handle(f.Channel, p) {
			return nil
		}
	}
}

// patience says how long the peer may be silent: twice what we announced, or,
// once we have sent a close, as long as an answer may take.
func (c *connection) patience() error {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	limit := 2 * idleTimeout
	if c.closing {
		limit = closeTimeout
	}
	return c.nc.SetReadDeadline(time.Now().Add(limit))
}

func (c *connection) malformed(err error) {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	switch {
	case errors.Is(err, amqp.ErrFraming):
		c.close(failure(condFraming, err.Error()))
	case errors.Is(err, amqp.ErrDecode):
		c.close(failure(condDecode, err.Error()))
	}
}

// handle acts on one frame under the server's mutex; true ends the connection.
func (c *connection) handle(channel uint16, p amqp.Performative) bool {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	if c.gone {
		return true
	}
	if _, ok := p.(amqp.Close); ok {
		c.send(0, amqp.Close{}) // unless ours is out already
		return true
	}
	if !c.closing {
		c.dispatch(channel, p)
	}
	return false
}

func (c *connection) dispatch(channel uint16, p amqp.Performative) {
	if b, ok := p.(amqp.Begin); ok {
		c.begin(channel, b)
		return
	}
	if ss := c.sessions[channel]; ss != nil {
		ss.handle(p)
		return
	}
	// A client ends what it gave up waiting for, whether or not it ever began: Azure lets that pass (AmqpConnection of
	// Microsoft.Azure.Amqp).
	switch p.(type) {
	case amqp.End, amqp.Detach:
	default:
		c.close(failure(condFraming, "A frame arrived on a channel without a session"))
	}
}

// close ends the connection with an error the peer gets to read.
func (c *connection) close(err *amqp.Error) {
	if c.closing || c.gone {
		return
	}
	c.server.log.Info("closing connection", "condition", string(err.Condition), "description", err.Description)
	c.send(0, amqp.Close{Error: err})
	c.closing = true
	for _, ss := range c.sessions {
		ss.drop()
	}
	// the reader waits no longer than closeTimeout from now
	_ = c.nc.SetReadDeadline(time.Now().Add(closeTimeout))
}

func (c *connection) send(channel uint16, p amqp.Performative) {
	if c.gone || c.closing {
		return
	}
	if !c.out.frame(channel, p) {
		c.server.log.Warn("peer does not read, connection dropped")
		c.abort()
	}
}
