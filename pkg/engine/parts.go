package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/ledger"
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

// Close closes the broker, then the ledger. Call it after everything that uses them has returned.
func (p *Parts) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	return errors.Join(p.Broker.Close(ctx), p.Ledger.Close())
}
