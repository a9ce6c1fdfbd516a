package engine

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"

	"taxiway.example/pkg/access"
	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/natsbroker"
	"taxiway.example/pkg/tenant"
)

// openEmbedded opens nats+embedded:DIRECTORY[?listen=HOST:PORT[&cert=FILE&key=FILE]].
func openEmbedded(ctx context.Context, address string, options Options) (broker.Broker, error) {
	dir, query, _ := strings.Cut(behindScheme(address), "?")
	opts := natsOptions(options)
	o := natsbroker.ServerOptions{Logger: opts.Logger}
	if err := listenAs(&o, query, options.Tenants); err != nil {
		return nil, fmt.Errorf("broker address: %w", err)
	}
	srv, err := natsbroker.Embedded(filePath(dir), o)
	if err != nil {
		return nil, err
	}
	nc, err := srv.Connect(ctx)
	if err != nil {
		return nil, errors.Join(err, srv.Close())
	}
	opts.Server = srv
	b, err := natsbroker.New(ctx, nc, opts)
	if err != nil {
		nc.Close()
		return nil, errors.Join(err, srv.Close())
	}
	return b, nil
}

// listenAs reads the parameters of an address. Whoever comes in by the port is a sender.
func listenAs(o *natsbroker.ServerOptions, query string, tenants *tenant.Directory) error {
	params, err := embeddedParameters(query)
	if err != nil {
		return err
	}
	o.Listen = params.Get("listen")
	if o.Senders, err = sendersOf(tenants); err != nil {
		return err
	}
	if params.Get("cert") == "" {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(params.Get("cert"), params.Get("key"))
	o.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	return err
}

// sendersOf lets the holder of a tenant's key fill the tenant's queue of that name: by HTTP too, the name of the key is the
// source of what comes with it.
func sendersOf(tenants *tenant.Directory) (natsbroker.Senders, error) {
	var ring access.Keyring
	if tenants != nil {
		var err error
		if ring, err = access.NewKeyring(tenants.All(), nil); err != nil {
			return nil, err
		}
	}
	return func(token string) (queue string, ok bool) {
		holder, _ := ring.Holder(token)
		q, ok := holder.Queue()
		return broker.InboundType(string(holder.Tenant.ID), q.Source), ok
	}, nil
}
