package submission

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/pipeline"
	"taxiway.example/pkg/telemetry"
	"taxiway.example/pkg/tenant"
)

// Ledger is what submissions need of the ledger.
type Ledger interface {
	ledger.DeviceReader
	ledger.CaptureReader
	ledger.Mover
	ledger.Submitter
	ledger.SubmissionReader
	ledger.Budget
	ledger.Leases
	ledger.Timeline
	ledger.DueSubmissions
	ledger.Tenants
}

// Tenants finds the configuration of a tenant; tenant.Directory does.
type Tenants interface {
	Get(id device.TenantID) (tenant.Tenant, error)
}

// Importer sends devices to Autopilot and reads what became of them; autopilot.Client says how.
type Importer interface {
	Import(ctx context.Context, devices []autopilot.ImportDevice, importID string) ([]autopilot.Imported, error)
	Imported(ctx context.Context, w autopilot.Wanted) ([]autopilot.Imported, error)
}

// Finder finds registered devices; autopilot.Client says how.
type Finder interface {
	FindBySerial(ctx context.Context, serial device.Serial) ([]autopilot.Identity, error)
}

// Cleaner deletes import records; autopilot.Client says how.
type Cleaner interface {
	DeleteImported(ctx context.Context, ids ...string) (gone []string, err error)
}

// Autopilot is Autopilot for one tenant.
type Autopilot interface {
	Importer
	Finder
	Cleaner
	autopilot.Starter
}

// Emitter publishes events; pipeline.Emitter does.
type Emitter interface {
	Emit(ctx context.Context, events ...event.Event) error
}

// Deps are the parts a Service works with, all of them required.
type Deps struct {
	Ledger   Ledger
	Tenants  Tenants
	Connect  func(device.TenantID) (Autopilot, error) // faults: TenantUnknown, TenantCredentialsRefused
	Emitter  Emitter
	Notify   func() // wakes the dispatcher: there is work that is due at once
	Registry prometheus.Registerer
	Now      func() time.Time
}

// Service carries submissions from step to step. It is safe for concurrent use.
type Service struct {
	Deps
	Timings Timings
	metrics *metrics
	unsent  *pending
}

// New returns a Service; an error says what is wrong with the timings.
func New(t Timings, d Deps) (*Service, error) {
	t = t.withDefaults()
	if err := t.validate(); err != nil {
		return nil, fmt.Errorf("timings: %w", err)
	}
	return &Service{d, t, newMetrics(d.Registry), newPending()}, nil
}

// by is who moves devices, in the timelines and in the events.
const by = event.Importer

// move is a move of a device as it was read; the device keeps its attempts.
func move(d device.Device, to device.State, due time.Time, code fault.Code, detail string) ledger.Move {
	return ledger.Move{
		Tenant: d.Tenant, Device: d.ID, Version: d.Version, To: to, Due: due, Code: code, Detail: detail, By: by,
		Attempts: d.Attempts,
	}
}

// again sends a device back to be submitted anew, at the cost of an attempt; the last attempt ends its way. Devices
// that come out of one submission together are due together, if they have failed equally often.
func (s *Service) again(d device.Device, now time.Time, code fault.Code, detail string) ledger.Move {
	d.Attempts++
	if d.Attempts >= s.Timings.MaxAttempts {
		detail = fmt.Sprintf("%d attempts, the last one ended with %s. %s", d.Attempts, code, detail)
		return move(d, device.Dead, time.Time{}, fault.DeviceAttemptsUsedUp, detail)
	}
	return move(d, device.Collected, now.Add(spread(s.Timings.retry(d.Attempts), d.Submission)), code, detail)
}

// apply moves devices outside of a submission. A move that comes too late is none of our business any more.
func (s *Service) apply(ctx context.Context, moves []ledger.Move) error {
	if len(moves) == 0 {
		return nil
	}
	_, err := s.Ledger.Move(ctx, moves...)
	return err
}

// advance carries out a step of a submission and reports whether it was the first to do so.
func (s *Service) advance(ctx context.Context, c ledger.SubmissionChange) (bool, error) {
	applied, err := s.Ledger.Advance(ctx, c)
	if err == nil && !applied {
		pipeline.Logger(ctx).DebugContext(ctx, "another worker was faster")
	}
	return applied, err
}

func report(ctx context.Context, message string, err error) {
	level := slog.LevelWarn
	if fault.KindOf(err) == fault.Throttled {
		level = slog.LevelInfo // waiting for one's turn is the normal way
	}
	pipeline.Logger(ctx).LogAttrs(ctx, level, message,
		slog.String(telemetry.KeyCode, string(fault.CodeOf(err))), slog.Any(telemetry.KeyError, err))
}

func ids(devices []device.Device) []string {
	all := make([]string, len(devices))
	for i, d := range devices {
		all[i] = d.ID
	}
	return all
}
