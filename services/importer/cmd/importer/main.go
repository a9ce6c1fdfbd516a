// Importer is the importer service as a process of its own.
package main

import (
	"context"
	"flag"
	"os"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/engine"
	"taxiway.example/pkg/service"
	"taxiway.example/pkg/tenant"
	"taxiway.example/services/importer"
)

func main() { os.Exit(engine.Main("importer", configure, (*tenant.Directory).CheckCredentials)) }

func configure(fs *flag.FlagSet) engine.Work {
	concurrency := fs.Int("concurrency", 0, "events worked on at once; 0 = the default")
	return func(ctx context.Context, p *engine.Parts, tenants *tenant.Directory, env service.Env) error {
		clients := autopilot.NewDirectory(autopilot.Settings{Tenants: tenants, Budget: p.Ledger, Log: env.Logger, Now: env.Now})
		return importer.Run(ctx, importer.Config{Concurrency: *concurrency}, importer.Deps{
			Ledger: p.Ledger, Publisher: p.Broker, Consumer: p.Broker, Tenants: tenants,
			Connect: func(id device.TenantID) (importer.Autopilot, error) { return clients.For(id) },
			Logger:  env.Logger, Registry: env.Registry, Now: env.Now,
		})
	}
}
