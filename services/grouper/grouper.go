// Package grouper is the service that takes registered devices to ready: it sets their group tag by the tenant's rules,
// sees that Entra's device object carries it and that the tag's dynamic group has picked the device up, and that a
// deployment profile is assigned.
//
// It waits by committing a due time to the ledger, never by holding a message, and gives nothing up for being slow.
package grouper

import (
	"fmt"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/dispatch"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/pipeline"
	"taxiway.example/pkg/worker"
	"taxiway.example/services/grouper/internal/grouping"
)

// Timings are all the waits and limits of the group stage. The zero value of a field is its default.
type Timings = grouping.Timings

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
	s, err := grouping.New(c.Timings, grouping.Deps{
		Ledger: d.Ledger, Tenants: d.Tenants, Emitter: pipeline.NewEmitter(d.Broker), Registry: d.Registry, Now: d.Now,
		Connect: func(id device.TenantID) (grouping.Autopilot, error) { return d.Autopilot.For(id) },
	})
	if err != nil {
		return nil, fmt.Errorf("grouper: %w", err)
	}
	return worker.New(c.Config, d.Deps, worker.Plan{
		Name:     event.Grouper,
		Handlers: map[event.Type]pipeline.UseCase{event.DevicesRegistered: s.Handle},
		Stages:   []dispatch.Stage{dispatch.Group},
	}), nil
}
