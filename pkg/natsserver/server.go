// Package natsserver runs a NATS server with JetStream in this process, and says what external senders may do on it.
package natsserver

import (
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"taxiway.example/pkg/dirlock"
	"taxiway.example/pkg/fault"
)

// Options are the settings of a server; the zero value is good.
type Options struct {
	Listen  string       // host:port for other processes; default: no port at all
	TLS     *tls.Config  // of that port; default: clear text
	Senders Senders      // who may use it, and for what; default: every client, for everything
	Logger  *slog.Logger // default: silent
}

const (
	maxStore     = 8 << 30
	maxMemory    = 256 << 20
	maxPayload   = 1 << 20
	startTimeout = 30 * time.Second
)

// lockName is the file whose lock stands for a server's directory.
const lockName = "taxiway-broker.lock"

// ErrLocked means that another owner runs a server on the directory.
var ErrLocked = dirlock.ErrHeld

// Server is a running server. Every acknowledged message is on disk: with the default sync interval of two minutes a
// power cut would lose all of the last minutes.
type Server struct {
	ns     *server.Server
	lock   *dirlock.Lock
	secret string // with which this process comes in
}

// Start starts a server on the directory, which it locks: nats-server itself does not notice a second owner, and both
// would acknowledge messages that only one of them keeps. A directory that is in use is an error that matches ErrLocked
// and names the owner.
func Start(dir string, o Options) (*Server, error) {
	held, err := dirlock.Acquire(dir, lockName)
	if err != nil {
		return nil, err
	}
	s := &Server{lock: held, secret: rand.Text()}
	if s.ns, err = o.start(dir, s.secret); err != nil {
		return nil, errors.Join(err, held.Release())
	}
	return s, nil
}

func (o Options) start(dir, secret string) (*server.Server, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	opts, err := o.native(dir)
	if err != nil {
		return nil, err
	}
	auth := &authenticator{secret: secret, senders: o.Senders, accounts: map[string]*server.Account{}}
	if o.Senders != nil {
		opts.CustomClientAuthentication = auth
	}
	ns, err := server.NewServer(opts)
	if err != nil {
		return nil, fault.Wrap(err, fault.BrokerUnavailable, "the embedded broker does not start")
	}
	auth.ns = ns
	ns.SetLoggerV2(serverLog{o.Logger}, false, false, false)
	ns.Start()
	if !ns.ReadyForConnections(startTimeout) {
		ns.Shutdown()
		ns.WaitForShutdown()
		return nil, fault.New(fault.BrokerUnavailable, "the embedded broker is not ready; its log says why")
	}
	return ns, nil
}

func (o Options) native(dir string) (*server.Options, error) {
	opts := &server.Options{
		ServerName:         "taxiway", // must not change across restarts
		DontListen:         o.Listen == "",
		JetStream:          true,
		StoreDir:           filepath.Clean(dir),
		SyncAlways:         true,
		MaxPayload:         maxPayload,
		JetStreamMaxStore:  maxStore,
		JetStreamMaxMemory: maxMemory,
		NoSigs:             true, // signals belong to the process
	}
	if o.Listen == "" {
		return opts, nil
	}
	host, port, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return nil, fmt.Errorf("broker listen address: %w", err)
	}
	if opts.Port, err = strconv.Atoi(port); err != nil {
		return nil, fmt.Errorf("broker listen port: %w", err)
	}
	if opts.Port == 0 {
		opts.Port = server.RANDOM_PORT
	}
	opts.Host = host
	opts.TLSConfig = o.TLS
	if o.Senders != nil && o.TLS == nil {
		return opts, loopback(host)
	}
	return opts, nil
}

// loopback refuses to let keys travel in clear text over a network.
func loopback(host string) error {
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf(
			"broker listen address: %q is not a loopback address; senders send their keys, so it needs a certificate",
			host,
		)
	}
	return nil
}

// URL returns the address of a server that listens, "" otherwise.
func (s *Server) URL() string {
	if s.ns.Addr() == nil {
		return ""
	}
	return s.ns.ClientURL()
}

// InProcess returns the options of a connection within the process, which may do everything.
func (s *Server) InProcess() []nats.Option {
	return []nats.Option{nats.InProcessServer(s), nats.Token(s.secret)}
}

// InProcessConn implements nats.InProcessConnProvider.
func (s *Server) InProcessConn() (net.Conn, error) { return s.ns.InProcessConn() }

// Health returns nil when the server and its streams are fit; a stream that met an I/O error stays frozen until a
// restart.
func (s *Server) Health() error {
	h := s.ns.Healthz(nil)
	if h.Error != "" || h.Status != "ok" {
		return fault.Newf(fault.BrokerUnavailable, "the embedded broker reports %s", h.Status)
	}
	return nil
}

// Close stops the server, waits until its files are closed and gives the directory back.
func (s *Server) Close() error {
	s.ns.Shutdown()
	s.ns.WaitForShutdown()
	return s.lock.Release()
}
