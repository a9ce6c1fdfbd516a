package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"taxiway.example/cmd/allinone"
	"taxiway.example/cmd/demofile"
	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/engine"
	"taxiway.example/pkg/service"
	"taxiway.example/pkg/telemetry"
	"taxiway.example/pkg/tenant"
)

type up struct {
	data, config, listen, ops string
	ledger, broker            string
	logFormat, logLevel       string
}

func newUp() *cobra.Command {
	var u up
	c := &cobra.Command{
		Use:   "up",
		Short: "Run the whole pipeline in this process, for keeps",
		Long: `Up runs ledger, broker and the three services in one process and keeps
everything in a data directory. Tenants come from a configuration file; without
one, a simulator plays Microsoft so that you can try things out (the simulator
forgets everything when it stops; the ledger does not). A tenant without a
configured API key gets one, which is shown once.`,
		Example: "  taxiway up\n  taxiway up --data /var/lib/taxiway --config /etc/taxiway/tenants.yaml --listen " +
			"127.0.0.1:8080",
		GroupID: groupRun,
		Args:    usage(cobra.NoArgs),
		RunE:    func(c *cobra.Command, _ []string) error { return u.run(c.Context(), c.OutOrStdout(), c.ErrOrStderr()) },
	}
	f := c.Flags()
	f.StringVar(&u.data, "data", "taxiway-data", "data directory; one process at a time owns it")
	f.StringVar(&u.config, "config", "", "file with the tenants (docs/operations.md); empty = a simulated tenant")
	f.StringVar(&u.listen, "listen", "127.0.0.1:8080", "address of the HTTP API")
	f.StringVar(
		&u.ops,
		"ops-listen",
		"127.0.0.1:8081",
		"address of the operator's listener: /livez /readyz /metrics; empty = none",
	)
	f.StringVar(
		&u.ledger,
		"ledger",
		"",
		"address of the ledger: sqlite:FILE or postgres://… (default sqlite in the data directory)",
	)
	f.StringVar(
		&u.broker,
		"broker",
		"",
		"address of the broker: nats+embedded:DIRECTORY, nats://… or servicebus… (docs/brokers.md; default embedded in "+
			"the data directory)",
	)
	f.StringVar(&u.logFormat, "log-format", "text", "text or json")
	f.StringVar(&u.logLevel, "log-level", "info", "debug, info, warn or error")
	return c
}

func (u *up) run(ctx context.Context, out, errOut io.Writer) (err error) {
	logger, err := telemetry.NewLogger(errOut, u.logFormat, u.logLevel)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	unlock, err := engine.Lock(u.data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	tenants, stop, err := u.tenants(ctx, out)
	if err != nil {
		return err
	}
	defer stop()
	c := allinone.Config{
		Ledger: cmp.Or(u.ledger, "sqlite:"+filepath.Join(u.data, "ledger.db")),
		Broker: cmp.Or(u.broker, "nats+embedded:"+filepath.Join(u.data, "broker")),
	}
	if u.config == "" {
		c = c.Quick()
	}
	if c.Tenants, err = u.withKeys(tenants, out); err != nil {
		return err
	}
	if c.Listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", u.listen); err != nil {
		return err
	}
	env := service.Env{Logger: logger, Registry: telemetry.NewRegistry(), Health: new(telemetry.Health), Now: time.Now}
	if u.ops != "" {
		ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", u.ops)
		if err != nil {
			return err
		}
		defer service.Serve(ln, telemetry.Handler(env.Health, env.Registry))()
		fmt.Fprintf(out, "Health and metrics: http://%s/readyz and /metrics\n", ln.Addr())
	}
	c.Opened = func() { fmt.Fprintf(out, "API: http://%s\nStop with Ctrl-C.\n", c.Listener.Addr()) }
	return service.Supervise(
		ctx,
		env,
		func(ctx context.Context, env service.Env) error { return allinone.Run(ctx, c, env) },
	)
}

// tenants returns the configured tenants, or a simulated one.
func (u *up) tenants(ctx context.Context, out io.Writer) (*tenant.Directory, func(), error) {
	if u.config != "" {
		dir, err := tenant.Load(u.config)
		if err == nil {
			err = dir.CheckCredentials()
		}
		if err != nil {
			return nil, nil, &exitError{exitUsage, err}
		}
		return dir, func() {}, nil
	}
	o := simulator.Fast()
	o.Limits = simulator.Defaults().Limits
	sim, err := allinone.Simulate(ctx, o, nil)
	if err != nil {
		return nil, nil, err
	}
	tn, err := sim.AddTenant("demo", 1, u.data, demofile.Tags...)
	if err != nil {
		sim.Close()
		return nil, nil, err
	}
	dir, err := tenant.NewDirectory(tn)
	if err != nil {
		sim.Close()
		return nil, nil, err
	}
	fmt.Fprintf(
		out,
		"No --config: Microsoft is played by a simulator on %s, with the tenant \"demo\" and the group tags %v.\n",
		sim.URL,
		demofile.Tags,
	)
	return dir, sim.Close, nil
}

// withKeys gives tenants without a key the one kept in the data directory, or makes one and shows it.
func (u *up) withKeys(dir *tenant.Directory, out io.Writer) (*tenant.Directory, error) {
	kept, err := loadKeys(filepath.Join(u.data, keysName))
	if err != nil {
		return nil, err
	}
	for _, t := range dir.All() {
		if len(t.Keys) > 0 {
			continue
		}
		digest, ok := kept.digests[t.ID]
		if ok {
			fmt.Fprintf(
				out,
				"Tenant %s: the API key that was shown when it was made (delete %s to make another).\n",
				t.ID,
				kept.file,
			)
		} else if digest, err = kept.issue(t.ID, out); err != nil {
			return nil, err
		}
		if dir, err = dir.WithKey(t.ID, tenant.Key{Name: keyName, SHA256: digest, Operator: true}); err != nil {
			return nil, err
		}
	}
	return dir, nil
}
