package engine

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/natsbroker"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/ledger/sqlledger"
)

type (
	openLedger func(ctx context.Context, address string, o sqlledger.Options) (ledger.Ledger, error)
	openBroker func(ctx context.Context, address string, o Options) (broker.Broker, error)
)

// ledgers are the schemes of a ledger's address.
var ledgers = map[string]openLedger{"sqlite": openSQLite, "postgres": openPostgres, "postgresql": openPostgres}

// brokers are the schemes of a broker's address, and what can be said about the parameters without opening it.
var brokers = map[string]struct {
	open  openBroker
	check func(query string) error
}{
	"nats+embedded":   {openEmbedded, checkEmbedded},
	"nats":            {openNATS, checkNATS},
	"tls":             {openNATS, checkNATS},
	"servicebus":      {openServiceBus, nil},
	"servicebus+env":  {openServiceBus, nil},
	"servicebus+file": {openServiceBus, nil},
}

// CheckLedger says what is wrong with a ledger's address as far as that shows without opening it.
func CheckLedger(address string) error {
	_, err := ledgerAt(address)
	return err
}

// CheckBroker says what is wrong with a broker's address as far as that shows without opening it.
func CheckBroker(address string) error {
	_, err := brokerAt(address)
	return err
}

// The errors name the scheme only: an address may hold a password.

func ledgerAt(address string) (openLedger, error) {
	scheme, place, _ := split(address)
	open, known := ledgers[scheme]
	switch {
	case !known:
		return nil, fmt.Errorf("ledger address %q: want sqlite:FILE or postgres://…", scheme+":…")
	case place == "":
		return nil, fmt.Errorf("ledger address %q names nothing", scheme+":")
	}
	return open, nil
}

func brokerAt(address string) (openBroker, error) {
	scheme, place, query := split(address)
	b, known := brokers[scheme]
	switch {
	case !known:
		return nil, fmt.Errorf("broker address %q: want nats+embedded:DIRECTORY, nats://… or servicebus://…", scheme+":…")
	case place == "":
		return nil, fmt.Errorf("broker address %q names nothing", scheme+":")
	case b.check != nil:
		if err := b.check(query); err != nil {
			return nil, fmt.Errorf("broker address: %w", err)
		}
	}
	return b.open, nil
}

// split cuts SCHEME:[//]PLACE[?QUERY].
func split(address string) (scheme, place, query string) {
	scheme, place, _ = strings.Cut(address, ":")
	place, query, _ = strings.Cut(place, "?")
	return scheme, strings.TrimPrefix(place, "//"), query
}

func behindScheme(address string) string {
	_, rest, _ := strings.Cut(address, ":")
	return rest
}

func checkEmbedded(query string) error {
	_, err := embeddedParameters(query)
	return err
}

func embeddedParameters(query string) (url.Values, error) {
	return parameters(query, "listen", "cert", "key")
}

func checkNATS(query string) error {
	_, err := identify(new(natsbroker.Options), query)
	return err
}
