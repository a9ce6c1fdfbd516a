package telemetry

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	checkTimeout = 3 * time.Second // for all checks of one round
	checkEvery   = time.Second     // answers in between are those of the last round: a check is a write to the ledger
)

// What a process says of itself.
var (
	ErrStarting = errors.New("starting")
	ErrDraining = errors.New("draining")
)

// Check returns nil when its part is fit for work.
type Check func(context.Context) error

// Health collects readiness checks; the zero value is not ready: a process adds its checks when it has opened what it
// works with. It is safe for concurrent use, and the checks run once a second at most, however many ask.
type Health struct {
	draining atomic.Bool

	mu     sync.Mutex // held while the checks run
	checks map[string]Check
	asked  time.Time
	last   map[string]error
}

// Add names a check; a second check of the same name replaces the first.
func (h *Health) Add(name string, c Check) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.checks == nil {
		h.checks = map[string]Check{}
	}
	h.checks[name] = c
	h.last = nil
}

// Drain makes the process unready for good: it is about to stop and wants no new work.
func (h *Health) Drain() { h.draining.Store(true) }

// Problems returns what is wrong by name; empty means ready. What is wrong with the process itself goes by "process".
func (h *Health) Problems(ctx context.Context) map[string]error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.last == nil || time.Since(h.asked) >= checkEvery {
		h.last = h.ask(ctx)
		h.asked = time.Now()
	}
	problems := maps.Clone(h.last)
	switch {
	case h.draining.Load():
		problems["process"] = ErrDraining
	case len(h.checks) == 0:
		problems["process"] = ErrStarting
	}
	return problems
}

// ask runs all checks. Its answer is for others too, so that the one who asks does not end it by going away.
func (h *Health) ask(ctx context.Context) map[string]error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkTimeout)
	defer cancel()
	problems := map[string]error{}
	for name, c := range h.checks {
		if err := c(ctx); err != nil {
			problems[name] = err
		}
	}
	return problems
}

// Live answers 200 as long as the process can answer at all; it never depends on anything outside.
func (h *Health) Live(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusOK)
}

// Ready answers 200 when every check passes, else 503 with the reasons as JSON. The reasons are for operators.
func (h *Health) Ready(w http.ResponseWriter, r *http.Request) {
	h.Answer(w, r, error.Error)
}

// Answer is Ready with the reasons in the words given.
func (h *Health) Answer(w http.ResponseWriter, r *http.Request, words func(error) string) {
	problems := map[string]string{}
	for name, err := range h.Problems(r.Context()) {
		problems[name] = words(err)
	}
	w.Header().Set("Content-Type", "application/json")
	if len(problems) > 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).
		Encode(map[string]any{"ready": len(problems) == 0, "problems": problems})
	// the client is gone if this fails
}
