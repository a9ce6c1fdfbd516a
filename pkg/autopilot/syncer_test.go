package autopilot_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/graph"
)

// starter counts the synchronisations asked for.
type starter struct {
	syncs  int
	answer error
}

func (s *starter) Sync(context.Context) error {
	s.syncs++
	return s.answer
}

// leases is a lease table with one row.
type leases struct {
	owner string
	until time.Time
	err   error
}

func (l *leases) Acquire(_ context.Context, _, owner string, ttl time.Duration, now time.Time) (bool, error) {
	if l.err != nil || l.owner != "" && l.owner != owner && now.Before(l.until) {
		return false, l.err
	}
	l.owner = owner
	l.until = now.Add(ttl)
	return true, nil
}

func (l *leases) Release(_ context.Context, _, owner string) error {
	if l.owner == owner {
		l.owner = ""
	}
	return nil
}

func TestSyncIsAskedForOnceEachPause(t *testing.T) {
	answered := func(status int, code fault.Code) error { return fault.Wrap(&graph.Error{Status: status}, code, "") }
	for name, tt := range map[string]struct {
		answer error
		lease  error
		want   int // syncs asked for in three tries, the last after the pause
	}{
		"accepted":        {nil, nil, 2},
		"running already": {answered(409, fault.GraphConflict), nil, 2},
		"too early":       {answered(429, fault.GraphThrottled), nil, 2},
		"budget used up":  {fault.New(fault.GraphThrottled, ""), nil, 3},
		"unreachable":     {fault.New(fault.GraphUnavailable, ""), nil, 3},
		"ledger down":     {nil, errors.New("down"), 0},
	} {
		now := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
		s := &starter{answer: tt.answer}
		syncer := autopilot.Syncer{Leases: &leases{err: tt.lease}, Pause: time.Minute, Now: func() time.Time { return now }}
		for _, wait := range []time.Duration{0, 30 * time.Second, 30 * time.Second} {
			now = now.Add(wait)
			syncer.Ask(t.Context(), slog.New(slog.DiscardHandler), "contoso", s)
		}
		if s.syncs != tt.want {
			t.Errorf("%s: %d syncs, want %d", name, s.syncs, tt.want)
		}
	}
}
