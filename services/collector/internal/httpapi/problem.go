package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"taxiway.example/pkg/api"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/oemfile"
	"taxiway.example/pkg/telemetry"
)

// typeBase and a code make the type of a problem; the page is docs/error-codes.md.
const typeBase = "https://taxiway.example/errors/"

// codeHeader repeats the code where clients cannot easily read the body of an error, as in Windows PowerShell 5.1.
const codeHeader = "Taxiway-Code"

// refusal is an error with what its problem says beyond code and detail.
type refusal struct {
	error

	errors []api.CellError
	batch  string
	device string
}

// Unwrap returns the error.
func (r *refusal) Unwrap() error { return r.error }

func refuse(err error, add func(*refusal)) error {
	r := &refusal{error: err}
	add(r)
	return r
}

// ofReceipt makes the refusal of a single device out of its receipt.
func ofReceipt(batch string, r ledger.Receipt) error {
	return refuse(fault.New(r.Code, r.Detail), func(to *refusal) {
		to.batch = batch
		to.device = r.Device
		to.errors = []api.CellError{{Row: r.Row, Column: r.Column, Code: r.Code, Detail: r.Detail}}
	})
}

// statusOf turns a fault into a status: by its code where HTTP has a word for it, else by class and kind.
func statusOf(err error) int {
	code := fault.CodeOf(err)
	if status, ok := statuses[code]; ok {
		return status
	}
	class, _, _ := strings.Cut(string(code), ".")
	switch kind := fault.KindOf(err); {
	case kind == fault.Conflict:
		return http.StatusConflict
	case kind == fault.NotFound:
		return http.StatusNotFound
	case kind == fault.Invalid && class == "request":
		return http.StatusBadRequest
	case kind == fault.Invalid:
		return http.StatusUnprocessableEntity
	case kind == fault.Bug:
		return http.StatusInternalServerError
	}
	return http.StatusServiceUnavailable
}

var statuses = map[fault.Code]int{
	fault.RequestUnauthenticated: http.StatusUnauthorized,
	fault.RequestForbidden:       http.StatusForbidden,
	fault.RequestMethod:          http.StatusMethodNotAllowed,
	fault.RequestTooLarge:        http.StatusRequestEntityTooLarge,
	fault.RequestUnsupported:     http.StatusUnsupportedMediaType,
	fault.RequestRateLimited:     http.StatusTooManyRequests,
	fault.RequestConflict:        http.StatusUnprocessableEntity, // the Idempotency-Key draft, section 2.7
	fault.FileTooManyRows:        http.StatusRequestEntityTooLarge,
}

// fail answers with the problem of an error.
func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	p.Instance = "urn:uuid:" + w.Header().Get(requestID)
	h := w.Header()
	h.Set(codeHeader, string(p.Code))
	h.Del("Content-Disposition")
	switch p.Status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="taxiway"`)
	case http.StatusServiceUnavailable, http.StatusTooManyRequests, http.StatusConflict:
		a.retryAfter(w, err)
	}
	if p.Batch != "" {
		h.Set("Location", "/v1/batches/"+p.Batch)
	}
	if p.Status >= http.StatusInternalServerError {
		a.Logger.LogAttrs(
			r.Context(),
			slog.LevelError,
			"request failed",
			slog.String(telemetry.KeyCode, string(p.Code)),
			slog.String(telemetry.KeyRequestID, h.Get(requestID)),
			slog.Any(telemetry.KeyError, err),
		)
	}
	a.writeJSON(w, r, p.Status, "application/problem+json", p)
}

func problemOf(err error) api.Problem {
	code := fault.CodeOf(err)
	entry, _ := fault.Lookup(code)
	p := api.Problem{
		Type:  typeBase + string(code),
		Title: entry.Title, Status: statusOf(err), Detail: fault.DetailOf(err), Code: code,
	}
	if extra, ok := errors.AsType[*refusal](err); ok {
		p.Errors = extra.errors
		p.Batch = extra.batch
		p.Device = extra.device
	}
	p.Hint = entry.For(p.Device, device.KnownSide(p.Detail)).Hint
	if file, ok := errors.AsType[*oemfile.Error](err); ok {
		for _, f := range file.Problems {
			p.Errors = append(p.Errors, api.CellError{Line: f.Line, Column: f.Column, Code: code, Detail: f.Detail})
		}
	}
	return p
}

// retryAfter says when to come back: what the fault asks for, else the usual pause.
func (a *API) retryAfter(w http.ResponseWriter, err error) {
	wait := a.config.Poll
	switch asked := fault.RetryAfterOf(err); {
	case asked > 0:
		wait = asked
	case fault.KindOf(err) == fault.Conflict:
		return
	}
	setRetryAfter(w, wait)
}

func setRetryAfter(w http.ResponseWriter, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(wait.Seconds())))))
}

// writeJSON answers with a value as JSON. What fails here is a client that went away.
func (a *API) writeJSON(w http.ResponseWriter, r *http.Request, status int, contentType string, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		a.Logger.LogAttrs(
			r.Context(),
			slog.LevelError,
			"answer cannot be written as JSON",
			slog.Any(telemetry.KeyError, err),
		)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	if _, err := w.Write(append(body, '\n')); err != nil {
		a.gone(r.Context(), err)
	}
}

func (a *API) gone(ctx context.Context, err error) {
	a.Logger.LogAttrs(ctx, slog.LevelDebug, "the client went away", slog.Any(telemetry.KeyError, err))
}
