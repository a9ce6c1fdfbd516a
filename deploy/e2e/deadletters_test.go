package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/uuid"

	"taxiway.example/cmd/demofile"
	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/awaittest"
	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/fault"
)

// deadLettersOf waits until a tenant has open dead letters, n of them.
func deadLettersOf(t *testing.T, c Client, n int) []DeadLetter {
	t.Helper()
	return awaittest.State(t, "dead letters appear", func(ctx context.Context) ([]DeadLetter, bool) {
		found, err := c.DeadLetters(ctx)
		return found, err == nil && len(found) == n
	})
}

func replayed(t *testing.T, c Client, deadLetter DeadLetter) Replayed {
	t.Helper()
	results, err := c.Replay(t.Context(), deadLetter.ID)
	if err != nil || len(results) != 1 {
		t.Fatal(results, err)
	}
	return results[0]
}

// A device that died is put back to work once its cause is gone, and gets ready; a message that nobody can read is
// kept, and comes back as often as it is replayed. Whatever is kept on the way, nothing but the ledger knows serial
// numbers.
func TestDeadLettersAreReplayed(t *testing.T) {
	t.Parallel()
	for _, e := range takingTurns() {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			deadLetters(t, e)
		})
	}
}

func deadLetters(t *testing.T, e engine) {
	t.Helper()
	file := demo(t, demofile.MinRows)
	a := &deadLetterCase{
		fixture: newFixture(t, simulator.Fast(), 2, nil),
		rows:    sheetOf(t, file),
		victim:  demofile.MinRows,
	}
	a.fixture.plant(t, file)
	a.arm(t, outcome(802, "InvalidZtdHardwareHash"))
	tapped := newTap()
	s := e.open(t)
	c := hasty(a.fixture.config(t, s))
	c.Hooks.Broker = tapped.hook
	p := start(t, c)
	a.batch = p.submit(t, 1, file.CSV)
	p.finished(t, a.batch)
	mine := p.as(1)
	other := p.as(2)

	device := deadLettersOf(t, mine, 1)[0]
	if device.Code != string(fault.AutopilotInvalidHash) || device.Device != a.batch.rows(t)[a.victim-1].Device {
		t.Errorf("unexpected dead letter: %+v", device)
	}
	if got := replayed(t, other, device); got.Outcome != "failed" || got.Code != string(fault.RequestNotFound) {
		t.Errorf("another tenant replays: %+v", got)
	}
	if got := replayed(t, mine, device); got.Outcome != "replayed" || got.Device != device.Device {
		t.Errorf("replay: %+v", got)
	}
	awaittest.State(t, "the dead device gets ready", func(context.Context) (Row, bool) {
		row := a.batch.rows(t)[a.victim-1]
		return row, row.State == "ready"
	})
	if got := replayed(t, mine, device); got.Outcome != "failed" || got.Code != string(fault.DeviceNotReplayable) {
		t.Errorf("a second replay: %+v", got)
	}
	a.fixture.neverBlind(t)
	a.sentAsOften(t, 2)
	poisoned(t, tapped, mine)
	if text, err := json.Marshal(deadLettersOf(t, mine, 1)); err != nil {
		t.Error(err)
	} else {
		discreet(t, "the dead letters", text, file)
	}
	p.stop(t)
	p.keepsQuiet(t, file)
	discreet(t, "what was published", tapped.everything(t), file)
	if s.store != "" {
		discreet(t, "the broker's store", stored(t, s.store, a.batch.id), file)
	}
}

// poisoned sends a message that cannot be read, finds its dead letter, and replays it.
func poisoned(t *testing.T, tapped *tap, c Client) {
	t.Helper()
	m := broker.Message{
		ID:     uuid.NewString(),
		Type:   string(event.DevicesCollected),
		Tenant: "contoso",
		Body:   []byte(`{"devices":`),
	}
	if err := tapped.Broker.Publish(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	first := deadLettersOf(t, c, 1)[0]
	if first.Message != m.ID || first.Code != string(fault.MessageMalformed) || first.Subscription != "importer" {
		t.Errorf("unexpected dead letter: %+v", first)
	}
	var got Replayed
	awaittest.True(t, "the message is replayed", func(context.Context) bool {
		got = replayed(t, c, first)
		return got.Code != string(fault.RequestNotFound) // the dead letter is there before the message is in the queue
	})
	if got.Outcome != "replayed" || got.Message == "" || got.Message == m.ID {
		t.Fatalf("replay: %+v", got)
	}
	if again := deadLettersOf(t, c, 1)[0]; again.Message != got.Message || again.ID == first.ID {
		t.Errorf("the message is as unreadable as before, and its dead letter: %+v", again)
	}
}

// stored returns everything that a broker has on disk, which has to mention the batch.
func stored(t *testing.T, dir, batch string) []byte {
	t.Helper()
	var all bytes.Buffer
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		raw, err := os.ReadFile(path)
		all.Write(raw)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(all.Bytes(), []byte(batch)) {
		t.Errorf("%d bytes in the broker's store, and nothing of the batch: nothing was checked", all.Len())
	}
	return all.Bytes()
}

// A tenant is taken out of the configuration while its devices are on their way: they die with a clear code. When it is
// back, they are replayed and get ready.
func TestATenantIsTakenOutAndComesBack(t *testing.T) {
	t.Parallel()
	e := turn(1)
	w := newFixture(t, simulator.Fast(), 2, nil)
	s := e.open(t)
	tapped := newTap()
	tapped.lose(string(event.DevicesCollected))
	c := hasty(w.config(t, s))
	c.Hooks.Broker = tapped.hook
	p := start(t, c)
	b := p.submit(t, 2, oneDevice(t, 99))
	p.stop(t)

	both := w.tenants
	w.tenants = both[:1]
	c = hasty(w.config(t, s))
	c.Collector.Limits.Operators = WithKey(both[1], 3).Keys
	p = start(t, c)
	globalOperator := p.as(3)
	deadLetter := deadLettersOf(t, globalOperator, 1)[0]
	if deadLetter.Tenant != "fabrikam" || deadLetter.Code != string(fault.TenantUnknown) {
		t.Errorf("unexpected dead letter: %+v", deadLetter)
	}
	p.stop(t)

	w.tenants = both
	p = start(t, hasty(w.config(t, s)))
	b.Client = p.as(2)
	if s := b.status(t); s.States["dead"] != 1 {
		t.Errorf("before the replay: %+v", s)
	}
	if got := replayed(t, b.Client, deadLetter); got.Outcome != "replayed" {
		t.Errorf("replay: %+v", got)
	}
	if s := p.finished(t, b); s.States["ready"] != 1 {
		t.Errorf("after the replay: %+v", s)
	}
}
