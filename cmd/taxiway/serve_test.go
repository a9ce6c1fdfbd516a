package main

import (
	"context"
	"log/slog"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"taxiway.example/cmd/allinone"
	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/service"
	"taxiway.example/pkg/telemetry"
	"taxiway.example/pkg/tenant"
)

// The keys of the served tenant, and the environment variables that scripts find them in.
const (
	operatorKey = "taxiway_operator_of_scripts"
	senderKey   = "taxiway_sender_of_scripts"
)

// serve [SERIAL=CODE:NAME…] runs the whole pipeline for a script and points the environment at it. The first import of
// a device that is named ends in that outcome of Autopilot's.
func serve(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: serve [SERIAL=CODE:NAME…]")
	}
	ctx, stop := context.WithCancel(context.Background())
	ts.Defer(stop)
	sim, err := allinone.Simulate(ctx, simulator.Fast(), nil)
	ts.Check(err)
	ts.Defer(sim.Close)
	for _, arg := range args {
		ts.Check(plan(sim.Server, arg))
	}
	dir := ts.MkAbs(".")
	tn, err := sim.AddTenant("contoso", 1, dir, "KIOSK")
	ts.Check(err)
	tn.Keys = []tenant.Key{
		{Name: "operator", SHA256: tenant.Hash(operatorKey), Operator: true},
		{Name: "sender", SHA256: tenant.Hash(senderKey)},
	}
	c := allinone.Config{Ledger: "sqlite:" + dir + "/ledger.db", Broker: "nats+embedded:" + dir + "/broker"}.Quick()
	c.Tenants, err = tenant.NewDirectory(tn)
	ts.Check(err)
	c.Listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	ts.Check(err)
	env := service.Env{
		Logger:   slog.New(slog.DiscardHandler),
		Registry: telemetry.NewRegistry(),
		Health:   new(telemetry.Health),
		Now:      time.Now,
	}
	ended := make(chan error, 1)
	go func() { ended <- allinone.Run(ctx, c, env) }()
	ts.Defer(func() {
		stop()
		ts.Check(<-ended)
	})
	ts.Setenv(envServer, "http://"+c.Listener.Addr().String())
	ts.Setenv(envKey, operatorKey)
}

// plan reads SERIAL=CODE:NAME.
func plan(s *simulator.Server, arg string) error {
	serial, outcome, _ := strings.Cut(arg, "=")
	number, name, _ := strings.Cut(outcome, ":")
	code, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	_, err = s.AddFault(
		simulator.Fault{Serial: serial, Effect: simulator.Import, Outcome: &simulator.Outcome{Code: code, Name: name}},
	)
	return err
}

// field NAME KEY sets an environment variable to the first value of a key in the JSON that the last command wrote.
func field(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: field NAME KEY")
	}
	m := regexp.MustCompile(`"` + regexp.QuoteMeta(args[1]) + `": "([^"]*)"`).FindStringSubmatch(ts.ReadFile("stdout"))
	if m == nil {
		ts.Fatalf("no %q in stdout", args[1])
	}
	ts.Setenv(args[0], m[1])
}
