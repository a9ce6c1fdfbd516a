package collector

import (
	"context"
	"log/slog"
	"time"

	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/telemetry"
)

const (
	defaultRetention = 30 * 24 * time.Hour
	eraseEvery       = time.Hour
	eraseAtOnce      = 1000 // captures in one transaction
)

// retain erases the captures of devices that have been ready or retired for longer than the retention time, until ctx ends.
// Replicas do not get into one another's way. A negative time means never.
func retain(ctx context.Context, retention time.Duration, l ledger.CaptureEraser, now func() time.Time, log *slog.Logger) {
	switch {
	case retention < 0:
		return
	case retention == 0:
		retention = defaultRetention
	}
	tick := time.NewTicker(eraseEvery)
	defer tick.Stop()
	for {
		erased, err := eraseAll(ctx, l, now().Add(-retention))
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			log.LogAttrs(ctx, slog.LevelWarn, "captures were not erased; the next hour does it", slog.Any(telemetry.KeyError, err))
		case erased > 0:
			log.LogAttrs(ctx, slog.LevelInfo, "captures erased", slog.Int(telemetry.KeyCount, erased))
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func eraseAll(ctx context.Context, l ledger.CaptureEraser, before time.Time) (total int, err error) {
	for n := eraseAtOnce; n == eraseAtOnce && err == nil; total += n {
		n, err = l.EraseCaptures(ctx, before, eraseAtOnce)
	}
	return total, err
}
