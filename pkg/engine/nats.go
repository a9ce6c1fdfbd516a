package engine

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/natsbroker"
)

// mostReplicas is what a stream can have (NATS documentation, "Streams": "Replicas … maximum 5").
const mostReplicas = 5

// openNATS opens nats://HOST:PORT[,…][?replicas=N&creds=FILE&ca=FILE&cert=FILE&key=FILE].
func openNATS(ctx context.Context, a address, o Options) (broker.Broker, error) {
	params, err := natsParameters(a)
	if err != nil {
		return nil, err
	}
	replicas, err := replicasOf(params)
	if err != nil {
		return nil, err
	}
	return connectNATS(
		ctx,
		a.scheme+"://"+a.place,
		natsbroker.Options{Replicas: replicas, Logger: o.Logger, Now: o.Now},
		identity(params),
	)
}

func connectNATS(
	ctx context.Context,
	servers string,
	o natsbroker.Options,
	identity []nats.Option,
) (broker.Broker, error) {
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

// natsParameters refuses an address with a part that is no server's: it has a password with a slash or the like, and
// NATS would print it, or call half of it a host.
func natsParameters(a address) (url.Values, error) {
	for server := range strings.SplitSeq(a.place, ",") {
		server = strings.TrimSpace(server)
		if !strings.Contains(server, "://") {
			server = a.scheme + "://" + server
		}
		u, err := url.Parse(server)
		if err != nil || strings.Trim(u.Path, "/") != "" || u.Fragment != "" {
			return nil, errors.New(
				"a server's address cannot be read; percent-encode what is special in user and password",
			)
		}
	}
	params, err := parameters(a.query, "replicas", "creds", "ca", "cert", "key")
	if err == nil {
		_, err = replicasOf(params)
	}
	return params, err
}

// replicasOf returns the number of copies of the streams, 0 when the address does not say.
func replicasOf(params url.Values) (int, error) {
	if !params.Has("replicas") {
		return 0, nil
	}
	n, err := strconv.Atoi(params.Get("replicas"))
	if err != nil || n < 1 || n > mostReplicas {
		return 0, fmt.Errorf("replicas is a number from 1 to %d", mostReplicas)
	}
	return n, nil
}

// identity returns how to sign in.
func identity(params url.Values) []nats.Option {
	var o []nats.Option
	if file := params.Get("creds"); file != "" {
		o = append(o, nats.UserCredentials(file))
	}
	if file := params.Get("ca"); file != "" {
		o = append(o, nats.RootCAs(file))
	}
	if params.Get("cert") != "" || params.Get("key") != "" {
		o = append(o, nats.ClientCert(params.Get("cert"), params.Get("key")))
	}
	return o
}
