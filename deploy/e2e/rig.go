package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"taxiway.example/cmd/allinone"
	"taxiway.example/pkg/service"
	"taxiway.example/pkg/telemetry"
	"taxiway.example/pkg/tenant"
)

// Key is the API key of the rig's tenant number n; it may operate.
func Key(n int) string { return fmt.Sprintf("rig-key-%d", n) }

// WithKey gives a tenant its rig key.
func WithKey(t tenant.Tenant, n int) tenant.Tenant {
	t.Keys = []tenant.Key{{Name: "rig", SHA256: tenant.Hash(Key(n)), Operator: true}}
	return t
}

// Status is a batch as the API shows it.
type Status struct {
	ID        string         `json:"id"`
	State     string         `json:"state"`
	Rows      int            `json:"rows"`
	Outcomes  map[string]int `json:"outcomes"`
	States    map[string]int `json:"states"`
	Conflicts map[string]int `json:"conflicts"`
	Reasons   []struct {
		State string `json:"state"`
		Code  string `json:"code"`
		Count int    `json:"count"`
	} `json:"reasons"`
}

// InFlight returns how many accepted devices the pipeline still works on.
func (s Status) InFlight() int {
	n := 0
	for _, state := range []string{"collected", "submitting", "submitted", "registered", "tagged", "grouped"} {
		n += s.States[state]
	}
	return n
}

// Conserved returns an error when rows or devices were lost or invented.
func (s Status) Conserved() error {
	outcomes, states := 0, 0
	for _, n := range s.Outcomes {
		outcomes += n
	}
	for _, n := range s.States {
		states += n
	}
	if outcomes != s.Rows || states != s.Outcomes["accepted"] {
		return fmt.Errorf("not conserved: %d rows, outcomes %v, states %v", s.Rows, s.Outcomes, s.States)
	}
	return nil
}

// Node is a running pipeline.
type Node struct {
	URL  string
	stop context.CancelFunc
	done chan error
}

// Start runs the pipeline of c in this process; c.Listener is filled in.
func Start(ctx context.Context, c allinone.Config, logs io.Writer) (*Node, error) {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c.Listener = ln
	env := service.Env{
		Logger:   slog.New(slog.NewJSONHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Registry: telemetry.NewRegistry(), Health: new(telemetry.Health), Now: time.Now,
	}
	ctx, stop := context.WithCancel(ctx)
	n := &Node{URL: "http://" + ln.Addr().String(), stop: stop, done: make(chan error, 1)}
	go func() { n.done <- allinone.Run(ctx, c, env) }()
	return n, nil
}

// Stop drains the node and returns what Run returned.
func (n *Node) Stop() error {
	n.stop()
	return <-n.done
}

// Client talks to the API with one key.
type Client struct {
	URL, Key string
}

// Submit sends a file under an idempotency key.
func (c Client) Submit(ctx context.Context, csv []byte, idempotency string) (Status, error) {
	var s Status
	req, err := c.request(ctx, http.MethodPost, "/v1/batches", bytes.NewReader(csv))
	if err != nil {
		return s, err
	}
	req.Header.Set("Content-Type", "text/csv")
	req.Header.Set("Idempotency-Key", `"`+idempotency+`"`)
	return s, c.do(req, &s)
}

// Batch returns the status of a batch.
func (c Client) Batch(ctx context.Context, id string) (Status, error) {
	var s Status
	return s, c.Get(ctx, "/v1/batches/"+id, &s)
}

// Get reads a path of the API.
func (c Client) Get(ctx context.Context, path string, out any) error {
	req, err := c.request(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	return c.do(req, out)
}

func (c Client) request(ctx context.Context, method, path string, body io.Reader) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.URL+path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.Key)
	return req, nil
}

// client has a timeout of its own, longer than any answer of the API takes.
var client = &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}

func (c Client) do(req *http.Request, out any) error {
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s: %s", req.Method, req.URL.Path, resp.Status, body)
	}
	return json.Unmarshal(body, out)
}
