// Collector is the collector service as a process of its own.
package main

import (
	"context"
	"flag"
	"os"

	"taxiway.example/pkg/engine"
	"taxiway.example/pkg/service"
	"taxiway.example/pkg/tenant"
	"taxiway.example/services/collector"
)

func main() { os.Exit(engine.Main("collector", configure)) }

func configure(fs *flag.FlagSet) engine.Work {
	var listen string
	service.AddressVar(fs, &listen, "listen", "127.0.0.1:8080", "address of the HTTP API")
	return func(ctx context.Context, p *engine.Parts, tenants *tenant.Directory, env service.Env) error {
		return collector.Run(ctx, collector.Config{Addr: listen}, collector.Deps{
			Ledger: p.Ledger, Broker: p.Broker, Tenants: tenants, Health: env.Health,
			Registry: env.Registry, Logger: env.Logger, Now: env.Now,
		})
	}
}
