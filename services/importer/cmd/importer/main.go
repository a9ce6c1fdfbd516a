// Importer is the importer service as a process of its own.
package main

import (
	"context"
	"errors"
	"flag"
	"os"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/engine"
	"taxiway.example/pkg/service"
	"taxiway.example/services/importer"
)

func main() {
	os.Exit(service.Main(service.Program{Name: "importer", Configure: configure}))
}

func configure(fs *flag.FlagSet) func() (service.Run, error) {
	var engines engine.Flags
	engines.Register(fs)
	var concurrency int
	fs.IntVar(&concurrency, "concurrency", 0, "events worked on at once; 0 = the default")
	return func() (service.Run, error) {
		tenants, err := engines.Directory()
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, env service.Env) (err error) {
			parts, err := engines.Open(ctx, engine.Options{Logger: env.Logger, Now: env.Now})
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, parts.Close()) }()
			env.Health.Add("ledger", parts.Ledger.Health)
			env.Health.Add("broker", parts.Broker.Health)
			clients := autopilot.NewDirectory(autopilot.Settings{Tenants: tenants, Budget: parts.Ledger, Log: env.Logger, Now: env.Now})
			return importer.Run(ctx, importer.Config{Concurrency: concurrency}, importer.Deps{
				Ledger: parts.Ledger, Publisher: parts.Broker, Consumer: parts.Broker, Tenants: tenants,
				Connect: func(id device.TenantID) (importer.Autopilot, error) { return clients.For(id) },
				Logger:  env.Logger, Registry: env.Registry, Now: env.Now,
			})
		}, nil
	}
}
