// Package telemetry sets up what an operator sees: structured logs with fixed keys, Prometheus metrics, and health with
// reasons. It knows nothing of devices.
package telemetry

import (
	"fmt"
	"io"
	"log/slog"
)

// Log keys. Records use these and no others, so that a search finds every record about a thing.
const (
	KeyTenant       = "tenant"
	KeyBatch        = "batch"
	KeyDevice       = "device" // the ledger's id, never a serial number
	KeySubmission   = "submission"
	KeyEvent        = "event"
	KeyType         = "type"
	KeyAttempt      = "attempt"
	KeyCode         = "code"
	KeyError        = "error"
	KeyCount        = "count"
	KeyStage        = "stage"
	KeyLease        = "lease"
	KeySubscription = "subscription"
	KeyWait         = "wait"
	KeyTrace        = "trace"
	KeyRequestID    = "request_id"
	KeyService      = "service"
)

// NewLogger returns a logger that writes to w. Format is "json" or "text"; level is "debug", "info", "warn" or "error".
func NewLogger(w io.Writer, format, level string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("log level %q: want debug, info, warn or error", level)
	}
	opts := &slog.HandlerOptions{Level: l}
	switch format {
	case "json":
		return slog.New(slog.NewJSONHandler(w, opts)), nil
	case "text":
		return slog.New(slog.NewTextHandler(w, opts)), nil
	}
	return nil, fmt.Errorf("log format %q: want json or text", format)
}
