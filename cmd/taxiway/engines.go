package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/term"

	"taxiway.example/cmd/allinone"
	"taxiway.example/pkg/ledger/postgres/pgcluster"
	"taxiway.example/pkg/tenant"
)

// engines starts what the demo's ledger and broker need, below dir, and returns their addresses.
func (d *demo) engines(ctx context.Context, dir string) (c allinone.Config, stop func(), err error) {
	stop = func() {}
	switch d.ledger {
	case "sqlite":
		c.Ledger = "sqlite:" + filepath.Join(dir, "ledger.db")
	case "postgres":
		if c.Ledger, stop, err = temporaryPostgres(ctx); err != nil {
			return c, stop, err
		}
	default:
		return c, stop, &exitError{exitUsage, fmt.Errorf("--ledger %q: want sqlite or postgres", d.ledger)}
	}
	switch d.broker {
	case "nats":
		c.Broker = "nats+embedded:" + filepath.Join(dir, "broker")
	default:
		return c, stop, &exitError{exitUsage, fmt.Errorf("--broker %q: want nats or servicebus", d.broker)}
	}
	return c, stop, ctx.Err()
}

// temporaryPostgres starts a PostgreSQL cluster of the demo's own and returns the address of a database in it.
func temporaryPostgres(ctx context.Context) (address string, stop func(), err error) {
	cluster, err := pgcluster.Start(ctx, pgcluster.Options{})
	if err != nil {
		return "", func() {}, err
	}
	stop = func() { _ = cluster.Stop() } // removes what is temporary anyway
	address, err = cluster.Create(ctx, "taxiway")
	return address, stop, err
}

// withNewKey gives the tenant a fresh API key that may operate, and returns the key; only its digest stays.
func withNewKey(t tenant.Tenant, name string) (tenant.Tenant, string) {
	key := "taxiway_" + rand.Text()
	t.Keys = append(t.Keys, tenant.Key{Name: name, SHA256: tenant.Hash(key), Operator: true})
	return t, key
}

// isTerminal reports whether w is a terminal that can redraw lines.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
