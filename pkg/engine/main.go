package engine

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/service"
	"taxiway.example/pkg/tenant"
	"taxiway.example/pkg/worker"
)

// Make makes the worker of a process.
type Make func(worker.Deps) (*worker.Worker, error)

// Check is what a process wants of its tenants beyond a file that can be read, such as
// tenant.Directory.CheckCredentials.
type Check func(*tenant.Directory) error

// GraphMain is Main for a service that works at Microsoft Graph with the tenants' credentials.
func GraphMain(
	name string,
	newWorker func(worker.Config, worker.Deps, *autopilot.Directory) (*worker.Worker, error),
) int {
	return Main(name, func(fs *flag.FlagSet) Make {
		concurrency := fs.Int("concurrency", 0, "events worked on at once; 0 = the default")
		return func(d worker.Deps) (*worker.Worker, error) {
			clients := autopilot.NewDirectory(
				autopilot.Settings{Tenants: d.Tenants, Budget: d.Ledger, Log: d.Logger, Now: d.Now},
			)
			return newWorker(worker.Config{Concurrency: *concurrency}, d, clients)
		}
	}, (*tenant.Directory).CheckCredentials)
}

// Main is the process of a service that has a ledger, a broker and tenants; it returns the exit code. Configure
// declares the service's own flags; the checks are made before it starts, and under -check-config.
func Main(name string, configure func(*flag.FlagSet) Make, checks ...Check) int {
	return service.Main(program(name, configure, checks))
}

func program(name string, configure func(*flag.FlagSet) Make, checks []Check) service.Program {
	return service.Program{Name: name, Configure: func(fs *flag.FlagSet) func() (service.Run, error) {
		ledgerAddress := fs.String("ledger", "", "address of the ledger: sqlite:FILE or postgres://… (required)")
		brokerAddress := fs.String("broker", "", "address of the broker: nats://… or servicebus://… (required)")
		file := fs.String("tenants", "", "file with the tenants (required)")
		newWorker := configure(fs)
		return func() (service.Run, error) {
			if err := required(fs, "ledger", "broker", "tenants"); err != nil {
				return nil, err
			}
			tenants, err := load(*file, checks)
			if err := errors.Join(CheckLedger(*ledgerAddress), CheckBroker(*brokerAddress), err); err != nil {
				return nil, err
			}
			return func(ctx context.Context, env service.Env) error {
				o := Options{Logger: env.Logger, Now: env.Now, Tenants: tenants}
				return Run(ctx, *ledgerAddress, *brokerAddress, o, env, func(ctx context.Context, d worker.Deps) error {
					w, err := newWorker(d)
					if err != nil {
						return err
					}
					return w.Run(ctx)
				})
			}, nil
		}
	}}
}

func load(file string, checks []Check) (*tenant.Directory, error) {
	tenants, err := tenant.Load(file)
	if err != nil {
		return nil, err
	}
	for _, check := range checks {
		if err := check(tenants); err != nil {
			return nil, fmt.Errorf("tenants file %s: %w", file, err)
		}
	}
	return tenants, nil
}

func required(fs *flag.FlagSet, names ...string) error {
	for _, name := range names {
		if fs.Lookup(name).Value.String() == "" {
			return fmt.Errorf("-%s (or %s) is required", name, service.EnvName(name))
		}
	}
	return nil
}
