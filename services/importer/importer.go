// Package importer is the service that registers collected devices with Windows Autopilot: it sends them in imports,
// finds out what became of each device, hands the registered ones to the grouper, and deletes its own import records
// afterwards.
//
// Nothing is sent twice without having been looked for, whatever fails or is restarted. It waits by committing a due
// time to the ledger, never by holding a message.
package importer

import (
	"context"
	"fmt"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/dispatch"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/pipeline"
	"taxiway.example/pkg/worker"
	"taxiway.example/services/importer/internal/submission"
)

// Timings are all the waits and limits of an import. The zero value of a field is its default.
type Timings = submission.Timings

// Config is how the service works. The zero value of a field is its default.
type Config struct {
	worker.Config
	Timings Timings
}

// Deps are the service's neighbours. Autopilot is required: the clients of all tenants.
type Deps struct {
	worker.Deps
	Autopilot *autopilot.Directory
}

// New returns the service; an error says what is wrong with the timings.
func New(c Config, d Deps) (*worker.Worker, error) {
	d.Deps = d.WithDefaults()
	s, err := submission.New(c.Timings, submission.Deps{
		Ledger: d.Ledger, Tenants: d.Tenants, Emitter: pipeline.NewEmitter(d.Broker), Notify: d.Notifier.Notify,
		Registry: d.Registry, Now: d.Now,
		Connect: func(id device.TenantID) (submission.Autopilot, error) { return d.Autopilot.For(id) },
	})
	if err != nil {
		return nil, fmt.Errorf("importer: %w", err)
	}
	return worker.New(c.Config, d.Deps, worker.Plan{
		Name: event.Importer,
		Handlers: map[event.Type]pipeline.UseCase{
			event.DevicesCollected: s.Submit,
			event.SubmissionDue:    s.Poll,
		},
		Stages: []dispatch.Stage{dispatch.Import, dispatch.Submissions},
		Jobs:   []dispatch.Job{s.Deletion()},
		Tasks:  []func(context.Context) error{s.Withdraw},
	}), nil
}
