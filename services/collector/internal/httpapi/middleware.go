package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/google/uuid"

	"taxiway.example/pkg/access"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/telemetry"
)

// requestID is the header that carries the id of a request; ours, never the client's.
const requestID = "X-Request-Id"

// route puts everything that all requests need around a handler, in this order: id and headers, log record, rescue from
// panics, authorization, a look at path and query, the handler, the problem of its error.
func (a *API) route(rt Route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := a.Now()
		h := w.Header()
		h.Set(requestID, uuid.NewString())
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		watched := &watcher{ResponseWriter: w, idle: a.config.Idle}
		p := a.serve(watched, r, rt)
		took := a.Now().Sub(began)
		a.metrics.observe(rt, watched.outcome(), took)
		if rt.access != public {
			a.log(r, rt, p, watched, took)
		}
		if watched.aborted {
			panic(http.ErrAbortHandler)
		}
	})
}

func (a *API) serve(w *watcher, r *http.Request, rt Route) access.Principal {
	defer a.rescue(w, r, rt)
	if !rt.transfer {
		ctx, cancel := context.WithTimeout(r.Context(), a.config.Timeout)
		defer cancel()
		r = r.WithContext(ctx)
	}
	p, err := a.authorize(r, rt.access)
	if err == nil && rt.access != public {
		err = checkURL(r.URL)
	}
	if err == nil {
		err = rt.handle(a, w, r, p)
	}
	switch {
	case err == nil:
	case w.status == 0:
		a.fail(w, r, err)
	case w.lost:
		a.gone(r.Context(), err)
	default:
		a.abort(w, r, err)
	}
	return p
}

// abort breaks an answer off whose status is sent already: the client must not take the part it has for the whole.
func (a *API) abort(w *watcher, r *http.Request, err error) {
	w.aborted = true
	code := string(fault.CodeOf(err))
	w.Header().Set(codeHeader, code) // too late for the client, in time for the record of the request
	if errors.Is(r.Context().Err(), context.Canceled) {
		a.gone(r.Context(), err)
		return
	}
	a.Logger.LogAttrs(r.Context(), slog.LevelError, "answer broken off", slog.String(telemetry.KeyCode, code),
		slog.String(telemetry.KeyRequestID, w.Header().Get(requestID)), slog.Any(telemetry.KeyError, err))
}

// rescue answers a request whose handler panicked, or breaks its answer off.
func (a *API) rescue(w *watcher, r *http.Request, rt Route) {
	cause := recover()
	if cause == nil {
		return
	}
	a.Logger.LogAttrs(
		r.Context(),
		slog.LevelError,
		"handler panicked",
		slog.String("route", rt.Path),
		slog.String("stack", string(debug.Stack())),
	)
	if w.status == 0 {
		a.fail(w, r, fault.Wrap(fmt.Errorf("panic: %v", cause), fault.InternalPanic, ""))
		return
	}
	w.aborted = true
}

// log writes the one record of a request. The query is left out: it may hold a serial number.
func (a *API) log(r *http.Request, rt Route, p access.Principal, w *watcher, took time.Duration) {
	message := "request"
	if w.aborted {
		message = "request aborted"
	}
	a.Logger.LogAttrs(
		r.Context(),
		slog.LevelInfo,
		message,
		slog.String(
			"method",
			r.Method,
		),
		slog.String("route", rt.Path),
		slog.Int("status", w.status),
		slog.Int64("bytes", w.bytes),
		slog.Duration("took", took),
		slog.String(telemetry.KeyTenant, string(p.Tenant.ID)),
		slog.String("key", p.Name),
		slog.String(
			telemetry.KeyCode,
			w.Header().Get(codeHeader),
		),
		slog.String(telemetry.KeyRequestID, w.Header().Get(requestID)),
	)
}

// watcher remembers status and size of an answer, and gives each write its time.
type watcher struct {
	http.ResponseWriter

	idle    time.Duration
	status  int
	bytes   int64
	lost    bool // a write failed: the client went away
	aborted bool // the answer was broken off
}

// outcome is the status for the metrics; an answer that was broken off is none.
func (w *watcher) outcome() string {
	if w.aborted {
		return "aborted"
	}
	return strconv.Itoa(w.status)
}

// Unwrap lets http.ResponseController through.
func (w *watcher) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader remembers the status.
func (w *watcher) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	allowMore(http.NewResponseController(w.ResponseWriter).SetWriteDeadline, w.idle)
	w.ResponseWriter.WriteHeader(status)
}

// Write moves the deadline on and counts.
func (w *watcher) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	allowMore(http.NewResponseController(w.ResponseWriter).SetWriteDeadline, w.idle)
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	w.lost = w.lost || err != nil
	return n, err
}

// allowMore moves a deadline of the connection. Recorders in tests have none, which is no reason to stop.
func allowMore(set func(time.Time) error, d time.Duration) {
	_ = set(time.Now().Add(d))
}

func notAllowed(methods string) func(*API, http.ResponseWriter, *http.Request, access.Principal) error {
	return func(_ *API, w http.ResponseWriter, _ *http.Request, _ access.Principal) error {
		w.Header().Set("Allow", methods)
		return fault.Newf(fault.RequestMethod, "This path takes %s.", methods)
	}
}

func (a *API) unknown(http.ResponseWriter, *http.Request, access.Principal) error {
	return fault.New(fault.RequestNotFound, "There is no such path.")
}
