package autopilot

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/graph"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/telemetry"
)

// Starter starts a tenant's synchronisation; Client does.
type Starter interface {
	Sync(ctx context.Context) error
}

// Syncer asks Autopilot to synchronise a tenant, at most once each Pause for all processes of all services together:
// changed tags, and devices that another service registered, may show only after a synchronisation. A lease nobody
// renews is the memory of the last one.
type Syncer struct {
	Leases ledger.Leases
	Pause  time.Duration // zero or less = never
	Now    func() time.Time
}

// Ask starts a synchronisation unless there was one lately. Nothing depends on its success: the service synchronises on
// its own too.
func (s Syncer) Ask(ctx context.Context, log *slog.Logger, id device.TenantID, starter Starter) {
	if s.Pause <= 0 {
		return
	}
	name := "sync/" + string(id)
	owner := uuid.NewString()
	held, err := s.Leases.Acquire(ctx, name, owner, s.Pause, s.Now())
	if err == nil && !held {
		return
	}
	if err == nil {
		err = starter.Sync(ctx)
	}
	if _, answered := errors.AsType[*graph.Error](err); err != nil && !answered {
		// Nothing was sent, or nobody knows: somebody else may try. What is left over when this fails runs out by
		// itself.
		_ = s.Leases.Release(ctx, name, owner)
	}
	switch {
	case err == nil:
		log.InfoContext(ctx, "synchronisation started")
	case fault.Is(err, fault.GraphConflict):
		log.DebugContext(ctx, "a synchronisation is running already")
	default:
		log.InfoContext(
			ctx,
			"synchronisation not started",
			slog.String(telemetry.KeyCode, string(fault.CodeOf(err))),
			slog.Any(telemetry.KeyError, err),
		)
	}
}
