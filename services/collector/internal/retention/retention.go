// Package retention erases the captures of devices that need them no more.
package retention

import (
	"context"
	"log/slog"
	"time"

	"taxiway.example/pkg/dispatch"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/pipeline"
	"taxiway.example/pkg/telemetry"
)

const (
	defaultRetention = 30 * 24 * time.Hour
	eraseEvery       = time.Hour
	eraseAtOnce      = 1000 // captures in one transaction
)

// Jobs returns the periodic job that erases the captures of devices that have been ready or retired for longer than the
// retention time, by default 30 days. A negative time means never, which takes no job.
func Jobs(retention time.Duration, l ledger.CaptureEraser, now func() time.Time) []dispatch.Job {
	switch {
	case retention < 0:
		return nil
	case retention == 0:
		retention = defaultRetention
	}
	return []dispatch.Job{{Name: "erase-captures", Every: eraseEvery, Do: func(ctx context.Context) error {
		return erase(ctx, l, now().Add(-retention))
	}}}
}

func erase(ctx context.Context, l ledger.CaptureEraser, before time.Time) (err error) {
	total := 0
	for n := eraseAtOnce; n == eraseAtOnce && err == nil; total += n {
		n, err = l.EraseCaptures(ctx, before, eraseAtOnce)
	}
	if total > 0 {
		pipeline.Logger(ctx).InfoContext(ctx, "captures erased", slog.Int(telemetry.KeyCount, total))
	}
	return err
}
