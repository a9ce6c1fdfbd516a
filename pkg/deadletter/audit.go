package deadletter

import (
	"cmp"
	"context"
	"log/slog"
	"strings"
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/telemetry"
)

// writing bounds a write to the ledger that does not end with its caller.
const writing = 10 * time.Second

// detached returns a context for writing down what has happened, although the caller may have gone.
func detached(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), writing)
}

// audit keeps who did what. A lost entry does not undo it: it is an error, and in the log.
func (s *Service) audit(ctx context.Context, by Operator, e ledger.AuditEntry) error {
	e.At = s.deps.Now().UTC()
	e.Actor = by.actor()
	err := s.deps.Ledger.Append(ctx, e)
	if err != nil {
		s.deps.Logger.LogAttrs(ctx, slog.LevelError, "audit entry lost",
			slog.String("object", e.Object), slog.Any(telemetry.KeyError, err))
	}
	return err
}

// auditReplay keeps a replay; its result says when that failed. The entry of a replay that changed nothing may end with
// its caller.
func (s *Service) auditReplay(ctx context.Context, by Operator, tenant device.TenantID, reason string, result *Result) {
	if result.Outcome != Failed {
		var cancel context.CancelFunc
		ctx, cancel = detached(ctx)
		defer cancel()
	}
	err := s.audit(ctx, by, ledger.AuditEntry{
		Tenant: cmp.Or(tenant, by.Tenant), Action: "dead_letter.replay", Object: result.ID, Reason: reason,
		Outcome: strings.TrimSpace(string(result.Outcome) + " " + string(result.Code)),
	})
	if err != nil {
		result.Detail = strings.TrimSpace(result.Detail + " The entry in the audit could not be written.")
	}
}
