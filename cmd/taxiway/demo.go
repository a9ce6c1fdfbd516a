package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"taxiway.example/cmd/allinone"
	"taxiway.example/cmd/demofile"
	"taxiway.example/cmd/internal/watch"
	"taxiway.example/pkg/api"
	"taxiway.example/pkg/api/client"
	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/service"
	"taxiway.example/pkg/slowness"
	"taxiway.example/pkg/telemetry"
	"taxiway.example/pkg/tenant"
)

// demoPatience is how long a demo may take before it is called a failure.
const demoPatience = 10 * time.Minute

type demo struct {
	rows           int
	seed           uint64
	broker, ledger string
	verbose        bool
	format         format
}

func newDemo() *cobra.Command {
	var d demo
	c := &cobra.Command{
		Use:   "demo",
		Short: "One OEM file from intake to ready, against a simulated Microsoft",
		Long: `Demo starts everything in one process with a temporary directory: the ledger,
the broker, the three services and a simulator of Microsoft Graph. It makes up
an OEM file with good devices, repetitions, a later capture, damaged hashes,
mixed-up rows, a device of another tenant and one that is registered already,
sends it through the HTTP API and shows what became of every row. Nothing
outside this machine is touched.`,
		Example: "  taxiway demo\n  taxiway demo --rows 5000 -o json\n  taxiway demo --broker servicebus --ledger postgres",
		GroupID: groupRun,
		Args:    usage(cobra.NoArgs),
		RunE:    func(c *cobra.Command, _ []string) error { return d.run(c.Context(), c.OutOrStdout(), c.ErrOrStderr()) },
	}
	c.Flags().IntVar(&d.rows, "rows", 500, fmt.Sprintf("rows of the file, at least %d", demofile.MinRows))
	c.Flags().Uint64Var(&d.seed, "seed", 1, "another seed makes up other devices")
	c.Flags().StringVar(&d.broker, "broker", "nats", "nats (embedded) or servicebus (simulated)")
	c.Flags().StringVar(&d.ledger, "ledger", "sqlite", "sqlite or postgres (a temporary cluster)")
	c.Flags().BoolVar(&d.verbose, "verbose", false, "show the log")
	d.format.register(c)
	return c
}

func (d *demo) run(ctx context.Context, out, errOut io.Writer) (err error) {
	ctx, cancel := context.WithTimeout(ctx, slowness.Stretch(demoPatience))
	defer cancel()
	file, err := demofile.Generate(d.rows, d.seed)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	dir, err := os.MkdirTemp("", "taxiway-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	engines, stopEngines, err := d.engines(ctx, dir)
	if err != nil {
		return err
	}
	defer stopEngines()
	sim, tn, err := d.microsoft(ctx, file, dir)
	if err != nil {
		return err
	}
	defer sim.Close()
	key := newKey()
	tn.Keys = []tenant.Key{{Name: "demo", SHA256: tenant.Hash(key), Operator: true}}
	if engines.Tenants, err = tenant.NewDirectory(tn); err != nil {
		return err
	}
	return d.withNode(ctx, engines, errOut, func(url string) error {
		server, err := client.New(url, key)
		if err != nil {
			return err
		}
		return d.show(ctx, server, file, sim.Server, tn.EntraTenantID, out)
	})
}

// microsoft starts the simulator with the tenant's groups and profiles, one device that belongs to somebody else and
// one that is registered already. Its limits are those Microsoft documents.
func (d *demo) microsoft(
	ctx context.Context,
	file *demofile.File,
	dir string,
) (*allinone.Simulation, tenant.Tenant, error) {
	o := simulator.Fast()
	o.Seed = int64(d.seed)
	o.Limits = simulator.Defaults().Limits
	sim, err := allinone.Simulate(ctx, o, nil)
	if err != nil {
		return nil, tenant.Tenant{}, err
	}
	tn, err := sim.AddTenant("contoso", 1, dir, demofile.Tags...)
	_, seeded := sim.Server.SeedRegistered(tn.EntraTenantID, simulator.Registered{
		Hardware: simulator.Hardware{Hash: file.AlreadyHere.Wire()}, GroupTag: "OLD-TAG",
	})
	err = errors.Join(err, seeded, sim.Server.SeedOwnedByOther(simulator.Hardware{Hash: file.OtherTenant.Wire()}))
	if err != nil {
		sim.Close()
		return nil, tenant.Tenant{}, err
	}
	return sim, tn, nil
}

// withNode runs the pipeline while use works with it.
func (d *demo) withNode(ctx context.Context, c allinone.Config, errOut io.Writer, use func(url string) error) error {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	c.Listener = ln
	log := slog.New(slog.DiscardHandler)
	if d.verbose {
		log = slog.New(slog.NewTextHandler(errOut, nil))
	}
	env := service.Env{Logger: log, Registry: telemetry.NewRegistry(), Health: new(telemetry.Health), Now: time.Now}
	nodeCtx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- allinone.Run(nodeCtx, c.Quick(), env) }()
	used := make(chan error, 1)
	go func() { used <- use("http://" + ln.Addr().String()) }()
	select {
	case err := <-used:
		stop()
		return errors.Join(err, <-ended)
	case err := <-ended:
		return fmt.Errorf("the pipeline stopped: %w", err)
	}
}

func (d *demo) show(
	ctx context.Context,
	server *client.Client,
	file *demofile.File,
	graph *simulator.Server,
	entra string,
	out io.Writer,
) error {
	began := time.Now()
	receipt, err := server.Submit(ctx, bytes.NewReader(file.CSV), client.Upload{Name: "oem-delivery.csv"})
	if err != nil {
		return err
	}
	progress := out
	if d.format.value == "json" {
		progress = io.Discard
	}
	fmt.Fprintf(
		progress,
		"An OEM file of %d rows was taken in within %s as batch %s.\n",
		receipt.Rows,
		time.Since(began).Round(time.Millisecond),
		receipt.ID,
	)
	batch, err := watch.Follow(
		ctx,
		server,
		receipt.ID,
		progress,
		watch.Options{Terminal: d.format.value != "json" && watch.IsTerminal(out), Interval: 200 * time.Millisecond},
	)
	if err != nil {
		return err
	}
	end, err := demoEnd(batch, graph, entra, time.Since(began))
	if err != nil {
		return err
	}
	if err := d.format.print(out, end, end.write); err != nil {
		return err
	}
	if !end.AddsUp || end.PostedTwice > 0 {
		return &exitError{exitFailed, errors.New("the demo does not add up; this is a defect, please report it")}
	}
	return nil
}

// demoResult is what a demo ends with.
type demoResult struct {
	Batch       api.Batch     `json:"batch"`
	AddsUp      bool          `json:"addsUp"`
	Imports     int           `json:"importCalls"`
	Requests    int           `json:"graphRequests"`
	Registered  int           `json:"registeredAtMicrosoft"`
	PostedTwice int           `json:"postedTwiceWithoutALook"`
	Took        time.Duration `json:"tookNanoseconds"`
}

func demoEnd(b api.Batch, graph *simulator.Server, entra string, took time.Duration) (demoResult, error) {
	state, err := graph.State(entra)
	if err != nil {
		return demoResult{}, err
	}
	log := graph.Log()
	imports := 0
	for _, r := range log {
		if filepath.Base(r.Path) == "import" {
			imports++
		}
	}
	return demoResult{
		Batch: b, AddsUp: watch.AddsUp(b), Imports: imports, Requests: len(log), Registered: len(state.Identities),
		PostedTwice: len(simulator.BlindReposts(log)), Took: took,
	}, nil
}

func (r demoResult) write(w io.Writer) error {
	if err := watch.Summary(w, r.Batch); err != nil {
		return err
	}
	_, err := fmt.Fprintf(
		w,
		"\nMicrosoft's side (simulated): %d devices registered with %d import calls and %d requests in all; "+
			"%d devices posted twice without a look in between.\nFrom the file to the end in %s.\n",
		r.Registered,
		r.Imports,
		r.Requests,
		r.PostedTwice,
		r.Took.Round(100*time.Millisecond),
	)
	return err
}
