// Package simulator is an in-process Azure Service Bus: the server side of AMQP
// 1.0 as Service Bus speaks it, with queues, topics and subscriptions in memory.
//
// It is strict: what Azure refuses it refuses, and an operation it does not know
// fails visibly. It can misbehave on demand (see the fault methods of Server), and
// its clock can be moved. Microsoft's own clients work against it unchanged. Its
// promise and its limits are written down in docs/servicebus-simulator.md.
//
// Comments name the Microsoft page or the client source a rule rests on.
package simulator

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"
)

// keyName is the name of the one shared access policy, as in a fresh namespace.
const keyName = "RootManageSharedAccessKey"

// ErrClosed is returned by Serve and Listen once Close has been called.
var ErrClosed = errors.New("simulator: closed")

// Server is a simulated namespace. Its methods are safe for concurrent use.
type Server struct {
	log       *slog.Logger
	accessKey func() string // a function, so that printing a Server does not print the key

	mu        sync.Mutex // guards everything below and everything behind it
	clock     clock
	entities  map[string]*entity // by lower-case name, dead-letter sub-queues included
	conns     map[*connection]struct{}
	listeners map[net.Listener]struct{}
	endpoint  string // host:port of the first listener
	refuse    int
	closed    bool

	wg sync.WaitGroup
}

// Option changes a Server before it starts.
type Option func(*Server)

// WithLogger makes the server log refusals and protocol errors; default is silence.
func WithLogger(l *slog.Logger) Option { return func(s *Server) { s.log = l } }

// WithNow replaces the wall clock under the movable clock.
func WithNow(now func() time.Time) Option { return func(s *Server) { s.clock.now = now } }

// WithKey sets the shared access key; default is a random one.
func WithKey(key string) Option {
	return func(s *Server) { s.accessKey = func() string { return key } }
}

// New makes a namespace with the entities of t.
func New(t Topology, options ...Option) (*Server, error) {
	s := &Server{
		log:       slog.New(slog.DiscardHandler),
		accessKey: newKey(),
		clock:     clock{now: time.Now},
		entities:  map[string]*entity{},
		conns:     map[*connection]struct{}{},
		listeners: map[net.Listener]struct{}{},
	}
	for _, o := range options {
		o(s)
	}
	s.clock.wake = time.AfterFunc(time.Hour, s.tick)
	for _, q := range t.Queues {
		if err := s.AddQueue(q); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	for _, topic := range t.Topics {
		if err := s.AddTopic(topic); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

func newKey() func() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // crypto/rand.Read never fails
	return func() string { return base64.StdEncoding.EncodeToString(b) }
}

// tick runs what has become due. The real timer calls it.
func (s *Server) tick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.clock.run()
	}
}

// Advance moves the clock forward: locks expire, schedules fire, messages and
// links age. All of it happens at the new time, before Advance returns.
func (s *Server) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock.offset += max(d, 0)
	s.clock.run()
}

// Now is the simulated time.
func (s *Server) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clock.Now()
}

// Listen starts to serve on a TCP address, "127.0.0.1:0" for any free port. It
// returns as soon as ConnectionString is valid.
func (s *Server) Listen(ctx context.Context, address string) error {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("simulator: listen: %w", err)
	}
	if err := s.register(ln); err != nil {
		return err
	}
	go func() { _ = s.accept(ln) }() // ends with Close; accept has logged
	return nil
}

// Serve accepts connections from ln until ctx ends, ln fails or Close is called.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	if err := s.register(ln); err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = ln.Close() })()
	err := s.accept(ln)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

func (s *Server) register(ln net.Listener) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errors.Join(ErrClosed, ln.Close())
	}
	s.listeners[ln] = struct{}{}
	s.wg.Add(1) // for accept
	if s.endpoint == "" {
		s.endpoint = ln.Addr().String()
	}
	return nil
}

// accept serves what comes in on a registered listener.
func (s *Server) accept(ln net.Listener) error {
	defer s.wg.Done()
	defer func() {
		_ = ln.Close()
		s.mu.Lock()
		delete(s.listeners, ln)
		s.mu.Unlock()
	}()
	for {
		nc, err := ln.Accept()
		if err != nil {
			s.mu.Lock()
			closed := s.closed
			s.mu.Unlock()
			if closed {
				return ErrClosed
			}
			s.log.Warn("accept failed", "err", err)
			return fmt.Errorf("simulator: accept: %w", err)
		}
		s.wg.Go(func() { s.serve(nc) })
	}
}

// ServeConn serves one connection and returns when it has ended. Any net.Conn
// will do, net.Pipe included; TLS is the caller's.
func (s *Server) ServeConn(nc net.Conn) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		_ = nc.Close()
		return
	}
	s.wg.Add(1)
	s.mu.Unlock()
	defer s.wg.Done()
	s.serve(nc)
}

// ConnectionString is what a client needs to connect without TLS
// (internal/conn/conn.go of azservicebus).
func (s *Server) ConnectionString() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	host := s.endpoint
	if host == "" {
		host = "localhost"
	}
	return fmt.Sprintf("Endpoint=sb://%s;SharedAccessKeyName=%s;SharedAccessKey=%s;UseDevelopmentEmulator=true",
		host, keyName, s.accessKey())
}

// Close ends every connection and waits for every goroutine of the server.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	s.clock.wake.Stop()
	var errs []error
	for ln := range s.listeners {
		if err := ln.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	for c := range s.conns {
		c.abort()
	}
	s.mu.Unlock()
	s.wg.Wait()
	return errors.Join(errs...)
}
