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

// Main is the process of a service that has a ledger, a broker and tenants; it returns the exit code. Configure declares the
// service's own flags.
func Main(name string, configure func(*flag.FlagSet) Work) int {
	return service.Main(service.Program{Name: name, Configure: func(fs *flag.FlagSet) func() (service.Run, error) {
		ledgerAddress := fs.String("ledger", "", "address of the ledger: sqlite:FILE or postgres://… (required)")
		brokerAddress := fs.String("broker", "", "address of the broker: nats://… or servicebus://… (required)")
		file := fs.String("tenants", "", "file with the tenants (required)")
		work := configure(fs)
		return func() (service.Run, error) {
			if err := required(fs, "ledger", "broker", "tenants"); err != nil {
				return nil, err
			}
			tenants, err := tenant.Load(*file)
			if err != nil {
				return nil, err
			}
			return func(ctx context.Context, env service.Env) (err error) {
				parts, err := Open(ctx, *ledgerAddress, *brokerAddress, Options{Logger: env.Logger, Now: env.Now, Tenants: tenants})
				if err != nil {
					return err
				}
				defer func() { err = errors.Join(err, parts.Close()) }()
				env.Health.Add("ledger", parts.Ledger.Health)
				env.Health.Add("broker", parts.Broker.Health)
				return work(ctx, parts, tenants, env)
			}, nil
		}
	}})
}

func required(fs *flag.FlagSet, names ...string) error {
	for _, name := range names {
		if fs.Lookup(name).Value.String() == "" {
			return fmt.Errorf("-%s (or %s) is required", name, service.EnvName(name))
		}
	}
	return nil
}
