package main

import (
	"context"
	"fmt"
	"path/filepath"

	"taxiway.example/cmd/allinone"
	"taxiway.example/pkg/broker/sbbroker/simulated"
	"taxiway.example/pkg/engine"
	"taxiway.example/pkg/ledger/postgres/pgcluster"
)

// engines starts what the demo's ledger and broker need, below dir, and returns their addresses.
func (d *demo) engines(ctx context.Context, dir string) (c allinone.Config, stop func(), err error) {
	ledger, stopLedger, err := d.openLedger(ctx, dir)
	if err != nil {
		return c, nil, err
	}
	broker, stopBroker, err := d.openBroker(ctx, dir)
	if err != nil {
		stopLedger()
		return c, nil, err
	}
	return allinone.Config{Ledger: ledger, Broker: broker}, func() { stopBroker(); stopLedger() }, nil
}

func (d *demo) openLedger(ctx context.Context, dir string) (address string, stop func(), err error) {
	switch d.ledger {
	case "sqlite":
		return "sqlite:" + filepath.Join(dir, "ledger.db"), func() {}, nil
	case "postgres":
		return temporaryPostgres(ctx)
	}
	return "", nil, &exitError{exitUsage, fmt.Errorf("--ledger %q: want sqlite or postgres", d.ledger)}
}

func (d *demo) openBroker(ctx context.Context, dir string) (address string, stop func(), err error) {
	switch d.broker {
	case "nats":
		return "nats+embedded:" + filepath.Join(dir, "broker"), func() {}, nil
	case "servicebus":
		n, err := simulated.Start(ctx, engine.ServiceBusTopology(), dir)
		if err != nil {
			return "", nil, err
		}
		return n.Address, func() { _ = n.Close() }, nil // nothing is kept
	}
	return "", nil, &exitError{exitUsage, fmt.Errorf("--broker %q: want nats or servicebus", d.broker)}
}

// temporaryPostgres starts a PostgreSQL cluster of the demo's own and returns the address of a database in it.
func temporaryPostgres(ctx context.Context) (address string, stop func(), err error) {
	cluster, err := pgcluster.Start(ctx, pgcluster.Options{})
	if err != nil {
		return "", nil, err
	}
	stop = func() { _ = cluster.Stop() } // removes what is temporary anyway
	if address, err = cluster.Create(ctx, "taxiway"); err != nil {
		stop()
		return "", nil, err
	}
	return address, stop, nil
}
