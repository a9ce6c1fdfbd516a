package natsbroker

import (
	"context"
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

// ServerOptions are the settings of an embedded server; the zero value is good.
type ServerOptions struct {
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

// Server is a NATS server with JetStream in this process. Every acknowledged message is on disk: with the default
// sync interval of two minutes a power cut would lose all of the last minutes.
type Server struct {
	ns     *server.Server
	lock   *dirlock.Lock
	secret string // with which this process comes in; "" when it is not asked for
	log    *slog.Logger
}

// Embedded starts a server on the directory, which it locks: nats-server itself does not notice a second owner, and both
// would acknowledge messages that only one of them keeps. A directory that is in use is an error that matches ErrLocked and
// names the owner.
func Embedded(dir string, o ServerOptions) (*Server, error) {
	held, err := dirlock.Acquire(dir, lockName)
	if err != nil {
		return nil, err
	}
	s, err := start(dir, o)
	if err != nil {
		return nil, errors.Join(err, held.Release())
	}
	s.lock = held
	return s, nil
}

func start(dir string, o ServerOptions) (*Server, error) {
	opts, err := o.native(dir)
	if err != nil {
		return nil, err
	}
	ns, err := server.NewServer(opts)
	if err != nil {
		return nil, fault.Wrap(err, fault.BrokerUnavailable, "the embedded broker does not start")
	}
	if d, guarded := opts.CustomClientAuthentication.(authenticator); guarded {
		d.accounts.ns = ns
	}
	ns.SetLoggerV2(serverLog{o.logger()}, false, false, false)
	ns.Start()
	if !ns.ReadyForConnections(startTimeout) {
		ns.Shutdown()
		ns.WaitForShutdown()
		return nil, fault.New(fault.BrokerUnavailable, "the embedded broker is not ready; its log says why")
	}
	return &Server{ns: ns, secret: secret(opts), log: o.logger()}, nil
}

func secret(opts *server.Options) string {
	if d, guarded := opts.CustomClientAuthentication.(authenticator); guarded {
		return d.secret
	}
	return ""
}

func (o ServerOptions) logger() *slog.Logger {
	if o.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return o.Logger
}

func (o ServerOptions) native(dir string) (*server.Options, error) {
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
	opts.Host, opts.TLSConfig = host, o.TLS
	if o.Senders != nil {
		opts.CustomClientAuthentication = authenticator{names{defaultPrefix}, rand.Text(), o.Senders, &accounts{open: map[string]*server.Account{}}}
		return opts, safePort(host, o.TLS)
	}
	return opts, nil
}

// URL returns the address of a server that listens, "" otherwise.
func (s *Server) URL() string {
	if s.ns.Addr() == nil {
		return ""
	}
	return s.ns.ClientURL()
}

// Connect opens a connection within the process.
func (s *Server) Connect(ctx context.Context, extra ...nats.Option) (*nats.Conn, error) {
	own := []nats.Option{nats.InProcessServer(s.ns)}
	if s.secret != "" {
		own = append(own, nats.Token(s.secret))
	}
	return Connect(ctx, "", s.log, append(own, extra...)...)
}

// Health returns nil when the server and its streams are fit; a stream that met an I/O error stays frozen until a restart.
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

// serverLog writes the server's log to slog, less loudly: its notices are about itself.
type serverLog struct{ log *slog.Logger }

// Noticef logs at debug: what a server notices when it starts concerns no operator.
func (l serverLog) Noticef(f string, v ...any) { l.log.Debug("nats-server: " + fmt.Sprintf(f, v...)) }

// Warnf logs at warn.
func (l serverLog) Warnf(f string, v ...any) { l.log.Warn("nats-server: " + fmt.Sprintf(f, v...)) }

// Fatalf logs at error and ends nothing: the process is not the server's.
func (l serverLog) Fatalf(f string, v ...any) { l.log.Error("nats-server: " + fmt.Sprintf(f, v...)) }

// Errorf logs at error.
func (l serverLog) Errorf(f string, v ...any) { l.log.Error("nats-server: " + fmt.Sprintf(f, v...)) }

// Debugf logs nothing.
func (l serverLog) Debugf(string, ...any) {}

// Tracef logs nothing.
func (l serverLog) Tracef(string, ...any) {}
