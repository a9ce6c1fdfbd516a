package telemetry

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// checkTimeout bounds one readiness check.
const checkTimeout = 3 * time.Second

// Check returns nil when its part is fit for work.
type Check func(context.Context) error

// Health collects readiness checks; the zero value is not ready: a process adds
// its checks when it has opened what it works with. It is safe for concurrent use.
type Health struct {
	mu       sync.Mutex
	checks   map[string]Check
	draining atomic.Bool
}

// Add names a check; a second check of the same name replaces the first.
func (h *Health) Add(name string, c Check) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.checks == nil {
		h.checks = map[string]Check{}
	}
	h.checks[name] = c
}

// Drain makes the process unready for good: it is about to stop and wants no new work.
func (h *Health) Drain() { h.draining.Store(true) }

// Problems runs all checks and returns what is wrong by name; empty means ready.
func (h *Health) Problems(ctx context.Context) map[string]string {
	h.mu.Lock()
	checks := make(map[string]Check, len(h.checks))
	for name, c := range h.checks {
		checks[name] = c
	}
	h.mu.Unlock()
	problems := map[string]string{}
	switch {
	case h.draining.Load():
		problems["process"] = "draining"
	case len(checks) == 0:
		problems["process"] = "starting"
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	for name, c := range checks {
		if err := c(ctx); err != nil {
			problems[name] = err.Error()
		}
	}
	return problems
}

// Live answers 200 as long as the process can answer at all; it never depends on anything outside.
func (h *Health) Live(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusOK)
}

// Ready answers 200 when every check passes, else 503 with the reasons as JSON.
func (h *Health) Ready(w http.ResponseWriter, r *http.Request) {
	problems := h.Problems(r.Context())
	w.Header().Set("Content-Type", "application/json")
	if len(problems) > 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"ready": len(problems) == 0, "problems": problems}) // the client is gone if this fails
}
