package engine

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/ledger/postgres"
	"taxiway.example/pkg/ledger/sqlite"
	"taxiway.example/pkg/ledger/sqlledger"
	"taxiway.example/pkg/tenant"
)

// Options are what both kinds of engine need; the zero value is good.
type Options struct {
	Logger *slog.Logger
	Now    func() time.Time
	Codec  ledger.Codec                  // how captures are stored; default ledger.Plain
	Trace  func(operation, phase string) // called around the commit of every ledger transaction

	Wrap func(broker.Broker) broker.Broker // of Run: comes between the broker and its users

	Tenants *tenant.Directory // whose OEMs may come to a broker in this process
}

// OpenLedger opens the ledger at an address:
//
//	sqlite:FILE                   one machine
//	postgres://USER@HOST/NAME     several replicas (libpq URL)
func OpenLedger(ctx context.Context, address string, o Options) (ledger.Ledger, error) {
	open, err := ledgerAt(address)
	if err != nil {
		return nil, err
	}
	return open(ctx, address, sqlledger.Options{Codec: o.Codec, Now: o.Now, Trace: o.Trace})
}

// OpenBroker opens the broker at an address:
//
//	nats+embedded:DIRECTORY       a server in this process; its directory has one owner. With ?listen=HOST:PORT
//	                              OEMs reach their inbound queues there, with their keys; off loopback it needs
//	                              &cert=FILE&key=FILE
//	nats://HOST:PORT[,…]          NATS servers with JetStream; ?replicas=N of the streams, creds=FILE, ca=FILE,
//	                              cert=FILE&key=FILE
//	servicebus://NAMESPACE…       Azure Service Bus; who we are says azidentity.DefaultAzureCredential
//	servicebus+env:NAME           Azure Service Bus, or its simulator, by a connection string in the environment
//	servicebus+file:PATH          the same in a file
//
// The last three take ?prefix=NAME, the beginning of all entity names. A connection string in the address itself is
// refused: addresses end up in process lists and logs.
func OpenBroker(ctx context.Context, address string, o Options) (broker.Broker, error) {
	a, open, err := brokerAt(address)
	if err != nil {
		return nil, err
	}
	b, err := open(ctx, a, o)
	if err != nil {
		return nil, fmt.Errorf("broker at %s:…: %w", a.scheme, err)
	}
	return b, nil
}

func openSQLite(ctx context.Context, address string, o sqlledger.Options) (ledger.Ledger, error) {
	return sqlite.Open(ctx, filePath(strings.TrimPrefix(address, "sqlite:")), o)
}

func openPostgres(ctx context.Context, address string, o sqlledger.Options) (ledger.Ledger, error) {
	return postgres.Open(ctx, address, o)
}

// filePath reads the part of an address behind the scheme as a path: //abs, abs and relative.
func filePath(rest string) string { return filepath.FromSlash(strings.TrimPrefix(rest, "//")) }
