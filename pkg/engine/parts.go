package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/dispatch"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/service"
	"taxiway.example/pkg/worker"
)

// Parts are an open ledger and an open broker.
type Parts struct {
	Ledger ledger.Ledger
	Broker broker.Broker
}

// closeTimeout bounds how long a broker may take to close.
const closeTimeout = 10 * time.Second

// Open opens both engines by their addresses.
func Open(ctx context.Context, ledgerAddress, brokerAddress string, o Options) (*Parts, error) {
	l, err := OpenLedger(ctx, ledgerAddress, o)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	b, err := OpenBroker(ctx, brokerAddress, o)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return &Parts{l, b}, nil
}

// Run opens both engines, adds them to the health of the process, has work done with them, and closes them.
func Run(
	ctx context.Context,
	ledgerAddress, brokerAddress string,
	o Options,
	env service.Env,
	work func(context.Context, worker.Deps) error,
) (err error) {
	parts, err := Open(ctx, ledgerAddress, brokerAddress, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, parts.Close()) }()
	if o.Wrap != nil {
		parts.Broker = o.Wrap(parts.Broker)
	}
	env.Health.Add("ledger", parts.Ledger.Health)
	env.Health.Add("broker", parts.Broker.Health)
	return work(ctx, worker.Deps{
		Ledger: parts.Ledger, Broker: parts.Broker, Tenants: o.Tenants, Notifier: new(dispatch.Notifier), Health: env.Health,
		Logger: env.Logger, Registry: env.Registry, Now: env.Now,
	})
}

// Close closes the broker, then the ledger. Call it after everything that uses them has returned.
func (p *Parts) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	return errors.Join(p.Broker.Close(ctx), p.Ledger.Close())
}
