package main

import (
	"flag"
	"io"
	"time"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/graph"
	"taxiway.example/pkg/service"
	"taxiway.example/pkg/tenant"
)

// parse reads flags, and the environment as the services do; -write has to be a flag.
func parse(args []string, env func(string) (string, bool), stderr io.Writer) (*probe, error) {
	p := &probe{log: stderr, table: newTable()}
	t := tenant.Tenant{ID: "contract"}
	fs := flag.NewFlagSet("contractgraph", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&t.EntraTenantID, "entra-tenant", "", "id of the Entra tenant")
	fs.StringVar(&t.ClientID, "client", "", "application id")
	fs.StringVar(&t.Credential.Kind, "credential", "secret", "secret, certificate, workload or managed")
	fs.StringVar(&t.Credential.SecretEnv, "secret-env", "TAXIWAY_CLIENT_SECRET", "environment variable with the secret")
	fs.StringVar(&t.Credential.SecretFile, "secret-file", "", "file with the secret, instead")
	fs.StringVar(&t.Credential.CertFile, "cert-file", "", "PEM file with certificate and key")
	fs.StringVar(&t.Endpoints.Login, "login", tenant.DefaultLogin, "login host")
	fs.StringVar(&t.Endpoints.Graph, "graph", tenant.DefaultGraph, "Graph host, without a version")
	fs.BoolVar(&p.write, "write", false, "import two made-up devices, watch them, remove them; only as a flag")
	fs.DurationVar(&p.wait, "wait", 30*time.Minute, "the longest wait for one thing to show or to go")
	fs.DurationVar(&p.every, "every", 15*time.Second, "pause between two polls")
	fs.IntVar(&p.pages, "pages", 50, "the most pages read of one list")
	withoutWrite := func(name string) (string, bool) {
		if name == service.EnvName("write") {
			return "", false
		}
		return env(name)
	}
	if err := service.ParseFlags(fs, args, withoutWrite); err != nil {
		return nil, err
	}
	return p, p.connect(t)
}

// connect checks the tenant as a tenants file is checked.
func (p *probe) connect(t tenant.Tenant) error {
	if t.Credential.Kind != "secret" || t.Credential.SecretFile != "" {
		t.Credential.SecretEnv = "" // its default belongs to secrets in the environment
	}
	checked, err := tenant.NewDirectory(t)
	if err != nil {
		return err
	}
	if t, err = checked.Get(t.ID); err != nil {
		return err
	}
	tokens, err := autopilot.NewDirectory(autopilot.Settings{}).Tokens(t)
	if err != nil {
		return err
	}
	p.graph, err = graph.New(graph.Config{Root: t.Endpoints.Graph, Tokens: tokens})
	if err != nil {
		return err
	}
	p.autopilot = autopilot.New(p.graph, autopilot.Options{})
	return nil
}
