package collector_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"taxiway.example/pkg/awaittest"
	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/engine"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/hwhash"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/telemetry"
	"taxiway.example/pkg/tenant"
	"taxiway.example/pkg/worker"
	"taxiway.example/services/collector"
)

const key = "contoso-key"

// site is everything around a collector: real parts in this process, which survive the collector.
type site struct {
	ledger  ledger.Ledger
	broker  broker.Broker
	tenants *tenant.Directory
	client  *http.Client
}

func newSite(t *testing.T) *site {
	t.Helper()
	dir := t.TempDir()
	l, err := engine.OpenLedger(t.Context(), "sqlite:"+filepath.Join(dir, "ledger.db"), engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := engine.OpenBroker(t.Context(), "nats+embedded:"+filepath.Join(dir, "broker"), engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(b.Close(context.WithoutCancel(t.Context())), l.Close()); err != nil {
			t.Error(err)
		}
	})
	sum := sha256.Sum256([]byte(key))
	d, err := tenant.NewDirectory(tenant.Tenant{
		ID: "contoso", EntraTenantID: "6f1d7f0a-0000-4000-8000-000000000001",
		ClientID: "6f1d7f0a-0000-4000-8000-000000000002",
		Credential: tenant.Credential{
			SecretEnv: "NONE",
		}, Keys: []tenant.Key{{Name: "oem", SHA256: hex.EncodeToString(sum[:])}},
	})
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	return &site{ledger: l, broker: b, tenants: d, client: client}
}

// running is a collector at work.
type running struct {
	*site

	address string
	health  *telemetry.Health
	stop    context.CancelFunc
	done    chan error
}

func (s *site) run(t *testing.T, c collector.Config) *running {
	t.Helper()
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	health := new(telemetry.Health)
	health.Add("ledger", s.ledger.Health)
	r := &running{site: s, address: ln.Addr().String(), health: health, stop: cancel, done: make(chan error, 1)}
	go func() {
		service, err := collector.New(
			c,
			collector.Deps{
				Listener: ln,
				Deps:     worker.Deps{Ledger: s.ledger, Broker: s.broker, Tenants: s.tenants, Health: r.health},
			},
		)
		if err == nil {
			err = service.Run(ctx)
		}
		r.done <- err
	}()
	t.Cleanup(func() { cancel(); r.wait(t) })
	return r
}

// wait waits until Run has returned, which it must do without an error.
func (r *running) wait(t *testing.T) {
	t.Helper()
	if err := awaittest.Receive(t, "the end of Run", r.done); err != nil {
		t.Errorf("Run: %v", err)
	}
	r.done <- nil
}

type receipt struct {
	ID, State, Code, Batch string
	Outcomes               map[string]int
}

// upload sends a body and returns status and answer.
func (r *running) upload(t *testing.T, body io.Reader, idempotencyKey string) (int, receipt, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+r.address+"/v1/batches", body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Idempotency-Key", idempotencyKey)
	resp, err := r.client.Do(req)
	if err != nil {
		return 0, receipt{}, err
	}
	defer resp.Body.Close()
	var got receipt
	err = json.NewDecoder(resp.Body).Decode(&got)
	return resp.StatusCode, got, err
}

const header = "Device Serial Number,Windows Product ID,Hardware Hash\r\n"

// file writes the devices 1 to n.
func file(t *testing.T, n uint64) string {
	t.Helper()
	var b strings.Builder
	b.WriteString(header)
	for seed := uint64(1); seed <= n; seed++ {
		r := hwhash.Synthetic(seed)
		h, err := hwhash.Encode(r)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s,,%s\r\n", r.Serial.Reveal(), h.Wire())
	}
	return b.String()
}

// From an upload to what the importer hears of it.
func TestUploadReachesTheImporter(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := s.run(t, collector.Config{})
	heard := make(chan event.Event, 10)
	ctx, cancel := context.WithCancel(t.Context())
	consumed := make(chan error, 1)
	go func() {
		consumed <- s.broker.Consume(ctx, broker.Subscription{Name: "importer", Type: string(event.DevicesCollected)},
			func(_ context.Context, d broker.Delivery) broker.Outcome {
				e, err := event.Decode(d.Headers, d.Body)
				heard <- e
				if err != nil {
					return broker.DeadLetter(err)
				}
				return broker.Acknowledge()
			})
	}()
	status, got, err := r.upload(t, strings.NewReader(file(t, 130)), "")
	if err != nil || status != http.StatusAccepted || got.Outcomes["accepted"] != 130 {
		t.Fatal(status, got, err)
	}
	var named []string
	for len(named) < 130 {
		e := awaittest.Receive(t, "the next devices", heard)
		if e.Batch != got.ID || e.Tenant != "contoso" || len(e.Devices) > event.MaxChunk {
			t.Errorf("%+v", e)
		}
		named = append(named, e.Devices...)
	}
	devices, err := s.ledger.Devices(t.Context(), "contoso", named)
	if err != nil || len(devices) != 130 {
		t.Errorf("%d devices: %v", len(devices), err)
	}
	cancel()
	if err := <-consumed; err != nil {
		t.Error(err)
	}
}

// telling says when a batch is opened.
type telling struct {
	ledger.Ledger
	opened chan struct{}
}

func (l telling) OpenBatch(ctx context.Context, b ledger.Batch) (ledger.Batch, bool, error) {
	l.opened <- struct{}{}
	return l.Ledger.OpenBatch(ctx, b)
}

// A stop lets an upload that is at work finish, and says that it wants no other.
func TestStopLetsUploadsFinish(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	opened := make(chan struct{}, 1)
	s.ledger = telling{s.ledger, opened}
	r := s.run(t, collector.Config{})
	text := file(t, 5)
	body, sender := io.Pipe()
	answered := make(chan receipt, 1)
	go func() {
		status, got, err := r.upload(t, body, "")
		if status != http.StatusAccepted || err != nil {
			t.Errorf("%d %v", status, err)
		}
		answered <- got
	}()
	if _, err := io.WriteString(sender, text[:6000]); err != nil {
		t.Fatal(err)
	}
	<-opened
	r.stop()
	awaittest.True(t, "the process never says that it is draining", func(context.Context) bool {
		return errors.Is(r.health.Problems(t.Context())["process"], telemetry.ErrDraining)
	})
	if _, err := io.WriteString(sender, text[6000:]); err != nil {
		t.Fatal(err)
	}
	sender.Close()
	if got := <-answered; got.Outcomes["accepted"] != 5 {
		t.Errorf("%+v", got)
	}
	r.wait(t)
	if _, _, err := r.upload(t, strings.NewReader(text), ""); err == nil {
		t.Error("a stopped collector takes uploads")
	}
}

// An upload that does not end in time is broken off; sent again under its key it is whole.
func TestStopBreaksOffWhatDoesNotEnd(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	first := s.run(t, collector.Config{Shutdown: time.Millisecond, Intake: collector.Intake{Chunk: 2}})
	text := file(t, 7)
	body, sender := io.Pipe()
	broken := make(chan error, 1)
	go func() {
		status, _, err := first.upload(t, body, "order-4711")
		if err == nil && status < 400 {
			err = fmt.Errorf("answered %d", status)
			t.Error(err)
		}
		broken <- err
	}()
	if _, err := io.WriteString(sender, text[:len(text)-2000]); err != nil {
		t.Fatal(err)
	}
	first.stop()
	first.wait(t)
	sender.Close()
	<-broken
	second := s.run(t, collector.Config{})
	status, got, err := second.upload(t, strings.NewReader(text), "order-4711")
	if err != nil || status != http.StatusAccepted || got.Outcomes["accepted"] != 7 || got.State != "complete" {
		t.Errorf("%d %+v %v", status, got, err)
	}
}

// raw sends a request by hand that promises more than it holds, and returns the connection.
func (r *running) raw(t *testing.T, text string, promised int) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", r.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_, err = fmt.Fprintf(
		conn,
		"POST /v1/batches HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nIdempotency-Key: "+
			"order-4711\r\nContent-Length: %d\r\n\r\n%s",
		key,
		promised,
		text,
	)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// The connection breaks in the middle of a row. Sent again, the upload goes on, and that row is read whole.
func TestBrokenConnection(t *testing.T) {
	t.Parallel()
	r := newSite(t).run(t, collector.Config{Intake: collector.Intake{Chunk: 2}})
	text := file(t, 9)
	if err := r.raw(t, text[:len(text)/2], len(text)).Close(); err != nil {
		t.Fatal(err)
	}
	var got receipt
	awaittest.True(t, "the upload never goes through", func(context.Context) bool {
		status, again, err := r.upload(t, strings.NewReader(text), "order-4711")
		if err != nil || status != http.StatusAccepted && status != http.StatusConflict {
			t.Fatal(status, again, err)
		}
		got = again
		return status == http.StatusAccepted
	})
	if got.Outcomes["accepted"] != 9 || got.State != "complete" {
		t.Errorf("%+v", got)
	}
}

// A client that stops sending and stays gets its answer, and the connection back.
func TestStalledUpload(t *testing.T) {
	t.Parallel()
	r := newSite(t).run(t, collector.Config{Limits: collector.Limits{Idle: 100 * time.Millisecond}})
	text := file(t, 3)
	conn := r.raw(t, text[:len(text)-100], len(text)) // two rows and a part of the third
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var got receipt
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil || resp.StatusCode != http.StatusBadRequest ||
		got.Code != "request.truncated" {
		t.Errorf("%d %+v %v", resp.StatusCode, got, err)
	}
	b, err := r.ledger.Batch(t.Context(), "contoso", got.Batch)
	if err != nil || b.State != ledger.Receiving || b.Outcomes[device.Accepted] != 2 {
		t.Errorf("%+v %v", b, err)
	}
}

func TestConfigurationErrors(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	deps := collector.Deps{Deps: worker.Deps{Ledger: s.ledger, Broker: s.broker, Tenants: s.tenants}}
	bad := collector.Config{Limits: collector.Limits{Operators: []tenant.Key{{Name: "ops", SHA256: "xyz"}}}}
	if _, err := collector.New(bad, deps); err == nil || !strings.Contains(err.Error(), `key "ops"`) {
		t.Errorf("a bad key: %v", err)
	}
	service, err := collector.New(collector.Config{Addr: "256.0.0.1:1"}, deps)
	if err != nil {
		t.Fatal(err)
	}
	if err := service.Run(t.Context()); err == nil {
		t.Error("a bad address was accepted")
	}
}
