package engine

import (
	"context"
	"crypto/tls"
	"errors"
	"net/url"

	"taxiway.example/pkg/access"
	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/natsbroker"
	"taxiway.example/pkg/natsserver"
	"taxiway.example/pkg/tenant"
)

// embedded is a broker with its server in this process.
type embedded struct {
	broker.Broker
	server *natsserver.Server
}

// openEmbedded opens nats+embedded:DIRECTORY[?listen=HOST:PORT[&cert=FILE&key=FILE]].
func openEmbedded(ctx context.Context, a address, o Options) (broker.Broker, error) {
	opts, err := serverOptions(a, o)
	if err != nil {
		return nil, err
	}
	srv, err := natsserver.Start(filePath(a.place), opts)
	if err != nil {
		return nil, err
	}
	b, err := connectNATS(ctx, "", natsbroker.Options{Logger: o.Logger, Now: o.Now}, srv.InProcess())
	if err != nil {
		return nil, errors.Join(err, srv.Close())
	}
	return embedded{b, srv}, nil
}

// Health asks the server too.
func (e embedded) Health(ctx context.Context) error {
	if err := e.server.Health(); err != nil {
		return err
	}
	return e.Broker.Health(ctx)
}

// Close stops the server too.
func (e embedded) Close(ctx context.Context) error {
	return errors.Join(e.Broker.Close(ctx), e.server.Close())
}

func embeddedParameters(a address) (url.Values, error) {
	return parameters(a.query, "listen", "cert", "key")
}

// serverOptions reads the parameters of an address. Whoever comes in by the port is an external sender.
func serverOptions(a address, o Options) (natsserver.Options, error) {
	s := natsserver.Options{Logger: o.Logger}
	params, err := embeddedParameters(a)
	if err != nil {
		return s, err
	}
	if s.Listen = params.Get("listen"); s.Listen != "" {
		s.Senders, err = senders(o.Tenants)
	}
	if params.Get("cert") == "" || err != nil {
		return s, err
	}
	pair, err := tls.LoadX509KeyPair(params.Get("cert"), params.Get("key"))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	return s, err
}

// senders lets the holder of a tenant's key fill the tenant's queue of that name: by HTTP too, the name of the key is
// the source of what comes with it.
func senders(tenants *tenant.Directory) (natsserver.Senders, error) {
	var keys access.Keyring
	if tenants != nil {
		var err error
		if keys, err = access.NewKeyring(tenants.All(), nil); err != nil {
			return nil, err
		}
	}
	return func(key string) (natsserver.Sender, bool) {
		holder, _ := keys.Holder(key)
		q, ok := holder.Queue()
		subject, inbox := natsbroker.Inbound(broker.InboundType(string(holder.Tenant.ID), q.Source))
		return natsserver.Sender{Subject: subject, Inbox: inbox}, ok
	}, nil
}
