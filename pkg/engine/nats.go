package engine

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/natsbroker"
)

// mostReplicas is what a stream can have (NATS documentation, "Streams": "Replicas … maximum 5").
const mostReplicas = 5

// openNATS opens nats://HOST:PORT[,…][?replicas=N&creds=FILE&ca=FILE&cert=FILE&key=FILE].
func openNATS(ctx context.Context, address string, o Options) (broker.Broker, error) {
	opts := natsOptions(o)
	servers, query, _ := strings.Cut(address, "?")
	identity, err := identify(&opts, query)
	if err != nil {
		return nil, fmt.Errorf("broker address: %w", err)
	}
	return connectNATS(ctx, servers, opts, identity)
}

func connectNATS(ctx context.Context, servers string, o natsbroker.Options, identity []nats.Option) (broker.Broker, error) {
	nc, err := natsbroker.Connect(ctx, servers, o.Logger, identity...)
	if err != nil {
		return nil, err
	}
	b, err := natsbroker.New(ctx, nc, o)
	if err != nil {
		nc.Close()
		return nil, err
	}
	return b, nil
}

func natsOptions(o Options) natsbroker.Options {
	return natsbroker.Options{Logger: o.Logger, Now: o.Now}
}

// identify reads the parameters of an address.
func identify(o *natsbroker.Options, query string) ([]nats.Option, error) {
	params, err := parameters(query, "replicas", "creds", "ca", "cert", "key")
	if err != nil {
		return nil, err
	}
	if n := params.Get("replicas"); n != "" {
		if o.Replicas, err = strconv.Atoi(n); err != nil || o.Replicas < 1 || o.Replicas > mostReplicas {
			return nil, fmt.Errorf("replicas is a number from 1 to %d", mostReplicas)
		}
	}
	var identity []nats.Option
	if file := params.Get("creds"); file != "" {
		identity = append(identity, nats.UserCredentials(file))
	}
	if file := params.Get("ca"); file != "" {
		identity = append(identity, nats.RootCAs(file))
	}
	if params.Get("cert") != "" || params.Get("key") != "" {
		identity = append(identity, nats.ClientCert(params.Get("cert"), params.Get("key")))
	}
	return identity, nil
}

// parameters reads what stands behind the question mark of an address; what it does not know it refuses. It shows that only
// when it is a word: behind the question mark of a password that is not percent-encoded stands the rest of the password.
func parameters(query string, known ...string) (url.Values, error) {
	params, err := url.ParseQuery(query)
	if err != nil {
		return nil, errors.New("the part behind the question mark cannot be read")
	}
	for name := range params {
		switch {
		case slices.Contains(known, name):
		case strings.Contains(query, "@") || strings.ContainsFunc(name, notLetter):
			return nil, fmt.Errorf("there is a parameter that is not known (or a password to percent-encode); there are %s", strings.Join(known, ", "))
		default:
			return nil, fmt.Errorf("there is no parameter %q; there are %s", name, strings.Join(known, ", "))
		}
	}
	return params, nil
}

func notLetter(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') }
