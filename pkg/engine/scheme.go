package engine

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/ledger/sqlledger"
)

// address is SCHEME:[//]PLACE[?QUERY].
type address struct{ scheme, place, query string }

type (
	openLedger func(ctx context.Context, address string, o sqlledger.Options) (ledger.Ledger, error)
	openBroker func(ctx context.Context, a address, o Options) (broker.Broker, error)
)

// ledgers are the schemes of a ledger's address.
var ledgers = map[string]openLedger{"sqlite": openSQLite, "postgres": openPostgres, "postgresql": openPostgres}

// brokerKind is how to open a broker, and what can be said about its address without opening it.
type brokerKind struct {
	open       openBroker
	parameters func(address) (url.Values, error)
}

// brokers are the schemes of a broker's address.
var brokers = map[string]brokerKind{
	"nats+embedded":   {openEmbedded, embeddedParameters},
	"nats":            {openNATS, natsParameters},
	"tls":             {openNATS, natsParameters},
	"servicebus":      {openServiceBus, serviceBusParameters},
	"servicebus+env":  {openServiceBus, serviceBusParameters},
	"servicebus+file": {openServiceBus, serviceBusParameters},
}

// CheckLedger says what is wrong with a ledger's address as far as that shows without opening it.
func CheckLedger(address string) error {
	_, err := ledgerAt(address)
	return err
}

// CheckBroker says what is wrong with a broker's address as far as that shows without opening it.
func CheckBroker(address string) error {
	_, _, err := brokerAt(address)
	return err
}

// The errors name the scheme only: an address may hold a password.

func ledgerAt(text string) (openLedger, error) {
	a := parse(text)
	open, known := ledgers[a.scheme]
	switch {
	case !known:
		return nil, fmt.Errorf("ledger address %q: want sqlite:FILE or postgres://…", a.scheme+":…")
	case a.place == "":
		return nil, fmt.Errorf("ledger address %q names nothing", a.scheme+":")
	}
	return open, nil
}

func brokerAt(text string) (address, openBroker, error) {
	a := parse(text)
	b, known := brokers[a.scheme]
	switch {
	case !known:
		return a, nil, fmt.Errorf(
			"broker address %q: want nats+embedded:DIRECTORY, nats://… or servicebus://…",
			a.scheme+":…",
		)
	case a.place == "":
		return a, nil, fmt.Errorf("broker address %q names nothing", a.scheme+":")
	}
	if _, err := b.parameters(a); err != nil {
		return a, nil, fmt.Errorf("broker address: %w", err)
	}
	return a, b.open, nil
}

func parse(text string) (a address) {
	a.scheme, a.place, _ = strings.Cut(text, ":")
	a.place, a.query, _ = strings.Cut(strings.TrimPrefix(a.place, "//"), "?")
	return a
}

// parameters reads what stands behind the question mark of an address; what it does not know it refuses. It shows that
// only when it is a word: behind the question mark of a password that is not percent-encoded stands the rest of the
// password.
func parameters(query string, known ...string) (url.Values, error) {
	params, err := url.ParseQuery(query)
	if err != nil {
		return nil, errors.New("the part behind the question mark cannot be read")
	}
	for name := range params {
		switch {
		case slices.Contains(known, name):
		case strings.Contains(query, "@") || strings.ContainsFunc(name, notSafe):
			return nil, fmt.Errorf(
				"there is a parameter that is not known (or a password to percent-encode); there are %s",
				strings.Join(known, ", "),
			)
		default:
			return nil, fmt.Errorf("there is no parameter %q; there are %s", name, strings.Join(known, ", "))
		}
	}
	return params, nil
}

func notSafe(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') }
