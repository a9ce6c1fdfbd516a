package httpapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// The limits of a connection before its request is known.
const (
	readHeader = 5 * time.Second
	idle       = 2 * time.Minute
	maxHeader  = 16 << 10 // bytes
)

// Server serves the API on a listener.
type Server struct {
	API      http.Handler
	Listener net.Listener  // optional; otherwise one on Addr
	Addr     string        // default 127.0.0.1:8080
	Shutdown time.Duration // for requests at work when the server stops; default 25 s
	Drain    func()        // called when it begins to stop
	Logger   *slog.Logger
}

// Run serves until ctx ends. Then it takes no new connection, lets what is at work finish, and returns nil. Uploads
// that are still running when the time for that is up break off as if the connection had been lost: what was committed
// stands, and the rest can be sent again.
func (s Server) Run(ctx context.Context) error {
	ln, err := s.listen(ctx)
	if err != nil {
		return err
	}
	// Requests outlive ctx: they end by themselves, or by cancel when the time for shutting down is up.
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var working sync.WaitGroup
	server := &http.Server{
		Handler: counted(s.API, &working), ReadHeaderTimeout: readHeader, IdleTimeout: idle, MaxHeaderBytes: maxHeader,
		ErrorLog:    slog.NewLogLogger(s.Logger.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return base },
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	s.Logger.LogAttrs(ctx, slog.LevelInfo, "collector serves", slog.String("address", ln.Addr().String()))
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	s.Drain()
	err = s.stop(ctx, server, cancel, served)
	working.Wait()
	return err
}

func (s Server) listen(ctx context.Context) (net.Listener, error) {
	if s.Listener != nil {
		return s.Listener, nil
	}
	return (&net.ListenConfig{}).Listen(ctx, "tcp", cmp.Or(s.Addr, "127.0.0.1:8080"))
}

// counted lets Run wait for requests whose connection was closed over their heads.
func counted(next http.Handler, working *sync.WaitGroup) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		working.Add(1)
		defer working.Done()
		next.ServeHTTP(w, r)
	})
}

const defaultShutdown = 25 * time.Second

func (s Server) stop(ctx context.Context, server *http.Server, cancel context.CancelFunc, served <-chan error) error {
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), cmp.Or(max(s.Shutdown, 0), defaultShutdown))
	defer done()
	err := server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		cancel()
		err = server.Close()
	}
	if e := <-served; !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(err, e)
	}
	if err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	return nil
}
