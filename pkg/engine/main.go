package engine

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"taxiway.example/pkg/service"
	"taxiway.example/pkg/tenant"
)

// Work is what a service's process does with its parts until ctx ends.
type Work func(ctx context.Context, parts *Parts, tenants *tenant.Directory, env service.Env) error

// Check is what a process wants of its tenants beyond a file that can be read, such as tenant.Directory.CheckCredentials.
type Check func(*tenant.Directory) error

// Main is the process of a service that has a ledger, a broker and tenants; it returns the exit code. Configure declares the
// service's own flags; the checks are made before it starts, and under -check-config.
func Main(name string, configure func(*flag.FlagSet) Work, checks ...Check) int {
	return service.Main(program(name, configure, checks))
}

func program(name string, configure func(*flag.FlagSet) Work, checks []Check) service.Program {
	return service.Program{Name: name, Configure: func(fs *flag.FlagSet) func() (service.Run, error) {
		ledgerAddress := fs.String("ledger", "", "address of the ledger: sqlite:FILE or postgres://… (required)")
		brokerAddress := fs.String("broker", "", "address of the broker: nats://… or servicebus://… (required)")
		file := fs.String("tenants", "", "file with the tenants (required)")
		work := configure(fs)
		return func() (service.Run, error) {
			if err := required(fs, "ledger", "broker", "tenants"); err != nil {
				return nil, err
			}
			tenants, err := load(*file, checks)
			if err := errors.Join(CheckLedger(*ledgerAddress), CheckBroker(*brokerAddress), err); err != nil {
				return nil, err
			}
			return func(ctx context.Context, env service.Env) error {
				return run(ctx, *ledgerAddress, *brokerAddress, tenants, env, work)
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

func run(ctx context.Context, ledgerAddress, brokerAddress string, tenants *tenant.Directory, env service.Env, work Work) (err error) {
	parts, err := Open(ctx, ledgerAddress, brokerAddress, Options{Logger: env.Logger, Now: env.Now, Tenants: tenants})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, parts.Close()) }()
	env.Health.Add("ledger", parts.Ledger.Health)
	env.Health.Add("broker", parts.Broker.Health)
	return work(ctx, parts, tenants, env)
}

func required(fs *flag.FlagSet, names ...string) error {
	for _, name := range names {
		if fs.Lookup(name).Value.String() == "" {
			return fmt.Errorf("-%s (or %s) is required", name, service.EnvName(name))
		}
	}
	return nil
}
