package collect_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/hwhash"
	"taxiway.example/pkg/intake"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/tenant"
	"taxiway.example/services/collector/internal/collect"
	"taxiway.example/services/collector/internal/collectortest"
)

func TestRowsBecomeDevices(t *testing.T) {
	t.Parallel()
	b := newFixture(t, collect.Config{Grace: time.Minute})
	serial, wire := collectortest.Device(t, 1, nil)
	text := collectortest.Header + fmt.Sprintf("%s,3305321234567,%s,Kiosk,ada@contoso.com\r\n", serial, wire)
	result, err := b.Take(t.Context(), b.delivery(t, strings.NewReader(text)))
	if err != nil {
		t.Fatal(err)
	}
	devices, err := b.ledger.Devices(t.Context(), "contoso", result.Devices)
	if err != nil || len(devices) != 1 {
		t.Fatal(devices, err)
	}
	d := devices[0]
	if d.Serial.Reveal() != serial || d.GroupTag != "Kiosk" || d.User != "ada@contoso.com" || d.ProductKeyID.Reveal() != "3305321234567" ||
		d.State != device.Collected || d.Kind != device.KeyTPMEK ||
		!d.Facts.TPM20 ||
		d.Source != "oem" ||
		d.Row != 1 {
		t.Errorf("%+v", d)
	}
	if want := start.Add(time.Minute); !d.Due.Equal(want) {
		t.Errorf("due %s, want %s: a lost event must be noticed", d.Due, want)
	}
	captures, err := b.ledger.Captures(t.Context(), "contoso", result.Devices)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := hwhash.FromCanonical(captures[d.ID])
	if err != nil || stored.Wire() != wire {
		t.Error("the stored capture is not the one sent", err)
	}
}

func TestEventsNameAcceptedDevicesInChunks(t *testing.T) {
	t.Parallel()
	b := newFixture(t, collect.Config{Chunk: 150})
	text := collectortest.File(t, append(collectortest.Seeds(1, 320), 5, 6, 7)...) // three duplicates at the end
	result, err := b.Take(t.Context(), b.delivery(t, strings.NewReader(text)))
	if err != nil {
		t.Fatal(err)
	}
	var sizes []int
	seen := map[string]bool{}
	for _, e := range b.events.events {
		sizes = append(sizes, len(e.Devices))
		if e.Type != event.DevicesCollected || e.Tenant != "contoso" || e.Batch != result.Batch.ID ||
			e.Source != event.Source("collector") {
			t.Errorf("%+v", e)
		}
		for _, id := range e.Devices {
			if seen[id] {
				t.Errorf("%s is named twice", id)
			}
			seen[id] = true
		}
	}
	if diff := cmp.Diff([]int{100, 50, 100, 50, 20}, sizes); diff != "" {
		t.Error(diff)
	}
	if want := map[device.RowOutcome]int{device.Accepted: 320, device.Duplicate: 3}; !cmp.Equal(want, result.Outcomes) ||
		result.Rows != 323 {
		t.Errorf("%d rows, %v", result.Rows, result.Outcomes)
	}
}

// A broker that is down delays devices; it does not refuse them, and it is not asked again for every chunk.
func TestDeadBrokerLosesNothing(t *testing.T) {
	t.Parallel()
	b := newFixture(t, collect.Config{Chunk: 10})
	b.events.err = fault.New(fault.BrokerUnavailable, "")
	result, err := b.Take(
		t.Context(),
		b.delivery(t, strings.NewReader(collectortest.File(t, collectortest.Seeds(1, 50)...))),
	)
	if err != nil || result.Outcomes[device.Accepted] != 50 {
		t.Fatal(result.Outcomes, err)
	}
	if b.events.calls != 1 {
		t.Errorf("%d attempts", b.events.calls)
	}
	due, err := b.ledger.ClaimDevices(t.Context(), device.StageImport, ledger.Claim{
		Tenant: "contoso", Now: start.Add(31 * time.Second), Until: start.Add(time.Hour), Limit: 100,
	})
	if err != nil || len(due) != 50 {
		t.Errorf("the dispatcher finds %d devices: %v", len(due), err)
	}
}

func TestDefaultGroupTagAndRules(t *testing.T) {
	t.Parallel()
	b := newFixture(t, collect.Config{})
	b.tenant.Rules = []tenant.Rule{{Tag: "Attested", Manufacturer: "Northwind*"}}
	b.tenant.Policy.TPMTags = []string{"Attested"}
	plain, plainWire := collectortest.Device(t, 1, (*hwhash.Report).RemoveTPM) // Fabrikam: no rule
	attested, attestedWire := collectortest.Device(
		t,
		2,
		(*hwhash.Report).RemoveTPM,
	) // Northwind: the rule's tag demands a TPM
	own, ownWire := collectortest.Device(t, 4, nil)
	d := b.delivery(
		t,
		strings.NewReader(
			collectortest.Header+fmt.Sprintf(
				"%s,,%s,,\n%s,,%s,,\n%s,,%s,Own,\n",
				plain,
				plainWire,
				attested,
				attestedWire,
				own,
				ownWire,
			),
		),
	)
	d.GroupTag = "Default"
	result, err := b.Take(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"1 accepted hash.no_tpm", "2 rejected row.tpm_required hash.no_tpm", "3 accepted"}
	if diff := cmp.Diff(want, b.results(t, result.Batch.ID)); diff != "" {
		t.Error(diff)
	}
	devices, err := b.ledger.Devices(t.Context(), "contoso", result.Devices)
	if err != nil {
		t.Fatal(err)
	}
	var tags []string
	for _, d := range devices {
		tags = append(tags, d.GroupTag)
	}
	slices.Sort(tags)
	if diff := cmp.Diff([]string{"Default", "Own"}, tags); diff != "" {
		t.Error(diff)
	}
}

func TestNoIdentity(t *testing.T) {
	t.Parallel()
	b := newFixture(t, collect.Config{})
	_, wire := collectortest.Device(t, 1, func(r *hwhash.Report) {
		r.RemoveTPM()
		r.UUID = hwhash.NewSecret(strings.Repeat("\xFF", 16))
		r.Serial = hwhash.NewSecret("Default string")
	})
	result, err := b.Take(t.Context(), b.delivery(t, strings.NewReader(collectortest.Header+",,"+wire+",,\n")))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"1 rejected device.no_identity hash.no_tpm hash.placeholder_serial"}
	if diff := cmp.Diff(want, b.results(t, result.Batch.ID)); diff != "" {
		t.Error(diff)
	}
}

func TestSwappedBoardIsHeld(t *testing.T) {
	t.Parallel()
	b := newFixture(t, collect.Config{})
	serial, wire := collectortest.Device(t, 1, nil)
	other := hwhash.Synthetic(4)
	_, swapped := collectortest.Device(t, 1, func(r *hwhash.Report) {
		r.EK = other.EK
		r.OfflineID = other.OfflineID
		r.UUID = other.UUID
	})
	result, err := b.Take(
		t.Context(),
		b.delivery(
			t,
			strings.NewReader(collectortest.Header+fmt.Sprintf("%s,,%s,,\n%s,,%s,,\n", serial, wire, serial, swapped)),
		),
	)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"1 accepted", "2 conflict device.conflict_ek"}, b.results(t, result.Batch.ID)); diff != "" {
		t.Error(diff)
	}
	if s := b.status(t, result.Batch.ID); s.Conflicts[device.Held] != 1 {
		t.Errorf("%+v", s.Conflicts)
	}
	if len(b.events.events) != 1 || len(b.events.events[0].Devices) != 1 {
		t.Error("a held device must not be announced")
	}
}

func TestNothingUsableLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	b := newFixture(t, collect.Config{})
	for name, rows := range map[string][]intake.Row{"no rows": nil} {
		if _, err := b.Take(t.Context(), collect.Delivery{Tenant: b.tenant, Rows: rowsOf(rows, nil)}); fault.CodeOf(
			err,
		) != fault.FileEmpty {
			t.Errorf("%s: %v", name, err)
		}
	}
	broken := fault.New(fault.FileEncoding, "line 2")
	if result, err := b.Take(t.Context(), collect.Delivery{Tenant: b.tenant, Rows: rowsOf(nil, broken)}); !errors.Is(err, broken) ||
		result.Batch.ID != "" {
		t.Errorf("%+v %v", result, err)
	}
	if tenants, err := b.ledger.Tenants(t.Context()); err != nil || len(tenants) != 0 {
		t.Errorf("the ledger knows %v %v", tenants, err)
	}
}

func TestRepeatedDelivery(t *testing.T) {
	t.Parallel()
	b := newFixture(t, collect.Config{})
	take := func(text string) (collect.Result, error) {
		d := b.delivery(t, strings.NewReader(text))
		d.IdempotencyKey = "order-4711"
		return b.Take(t.Context(), d)
	}
	text := collectortest.File(t, collectortest.Seeds(1, 5)...)
	first, err := take(text)
	if err != nil || first.Repeated {
		t.Fatal(first, err)
	}
	again, err := take(text)
	if err != nil || !again.Repeated || again.Batch.ID != first.Batch.ID {
		t.Errorf("%+v %v", again, err)
	}
	if s := b.status(t, first.Batch.ID); s.Rows != 5 || s.Outcomes[device.Accepted] != 5 {
		t.Errorf("%+v", s)
	}
	for name, other := range map[string]string{
		"more rows":  collectortest.File(t, collectortest.Seeds(1, 6)...),
		"fewer rows": collectortest.File(t, collectortest.Seeds(1, 4)...), "one row": collectortest.File(t, 9),
	} {
		if _, err := take(other); fault.CodeOf(err) != fault.RequestConflict {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(b.events.events) != 1 {
		t.Errorf("%d events", len(b.events.events))
	}
}

// An upload that broke off goes on under its key, and the row that was cut is read whole the second time.
func TestInterruptedDeliveryGoesOn(t *testing.T) {
	t.Parallel()
	b := newFixture(t, collect.Config{Chunk: 3})
	text := collectortest.File(t, collectortest.Seeds(1, 10)...)
	take := func(r io.Reader) (collect.Result, error) {
		d := b.delivery(t, r)
		d.IdempotencyKey = "order-4711"
		return b.Take(t.Context(), d)
	}
	cut := io.MultiReader(strings.NewReader(text[:len(text)*2/3]), iotest.ErrReader(io.ErrUnexpectedEOF))
	first, err := take(cut)
	if !errors.Is(err, io.ErrUnexpectedEOF) || first.Rows != 6 {
		t.Fatalf("%d rows, %v", first.Rows, err)
	}
	if s := b.status(t, first.Batch.ID); s.State != ledger.Receiving || s.Rows != 6 {
		t.Fatalf("%s with %d rows", s.State, s.Rows)
	}
	second, err := take(strings.NewReader(text))
	if err != nil || second.Batch.ID != first.Batch.ID || second.Outcomes[device.Accepted] != 10 {
		t.Fatalf("%+v %v", second, err)
	}
	if s := b.status(t, first.Batch.ID); s.State != ledger.Complete || s.Rows != 10 ||
		s.Outcomes[device.Accepted] != 10 {
		t.Errorf("%+v", s)
	}
}

// An upload that broke off does not go on with other rows, or with another tag: they would get the answers of the first
// ones.
func TestInterruptedDeliveryIsNotAnother(t *testing.T) {
	t.Parallel()
	b := newFixture(t, collect.Config{Chunk: 3})
	text := collectortest.File(t, collectortest.Seeds(1, 10)...)
	take := func(r io.Reader, tag string) (collect.Result, error) {
		d := b.delivery(t, r)
		d.IdempotencyKey = "order-4711"
		d.GroupTag = tag
		return b.Take(t.Context(), d)
	}
	first, err := take(
		io.MultiReader(strings.NewReader(text[:len(text)*2/3]), iotest.ErrReader(io.ErrUnexpectedEOF)),
		"KIOSK",
	)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
	for name, other := range map[string]struct{ text, tag string }{
		"other devices": {collectortest.File(t, collectortest.Seeds(11, 20)...), "KIOSK"}, "another tag": {text, "LAB"},
	} {
		if _, err := take(strings.NewReader(other.text), other.tag); fault.CodeOf(err) != fault.RequestConflict {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s := b.status(t, first.Batch.ID); s.State != ledger.Receiving || s.Rows != 6 {
		t.Errorf("%s with %d rows", s.State, s.Rows)
	}
	if r, err := take(strings.NewReader(text), "KIOSK"); err != nil || r.Outcomes[device.Accepted] != 10 {
		t.Errorf("%+v %v", r, err)
	}
	if _, err := take(strings.NewReader(text), "LAB"); fault.CodeOf(err) != fault.RequestConflict {
		t.Errorf("another tag for a complete batch: %v", err)
	}
}

func TestInterruptedDeliveryWithoutKeyFails(t *testing.T) {
	t.Parallel()
	b := newFixture(t, collect.Config{})
	text := collectortest.File(t, collectortest.Seeds(1, 4)...)
	r, err := b.Take(
		t.Context(),
		b.delivery(t, io.MultiReader(strings.NewReader(text[:len(text)-50]), iotest.ErrReader(io.ErrUnexpectedEOF))),
	)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
	if s := b.status(t, r.Batch.ID); s.State != ledger.Failed || s.Code != fault.RequestTruncated ||
		s.Outcomes[device.Accepted] != 3 {
		t.Errorf("%+v", s)
	}
}

func TestFileThatGoesBadKeepsTheRowsBefore(t *testing.T) {
	t.Parallel()
	b := newFixture(t, collect.Config{Chunk: 2})
	text := collectortest.File(t, collectortest.Seeds(1, 5)...) + strings.Repeat("x", 2<<20)
	take := func() (collect.Result, error) {
		d := b.delivery(t, strings.NewReader(text))
		d.IdempotencyKey = "order-4711"
		return b.Take(t.Context(), d)
	}
	r, err := take()
	if fault.CodeOf(err) != fault.FileRecordTooLong || r.Outcomes[device.Accepted] != 5 {
		t.Fatalf("%+v %v", r, err)
	}
	if s := b.status(t, r.Batch.ID); s.State != ledger.Failed || s.Code != fault.FileRecordTooLong || s.Rows != 5 {
		t.Errorf("%+v", s)
	}
	again, err := take()
	if fault.CodeOf(err) != fault.FileRecordTooLong || again.Batch.ID != r.Batch.ID || !again.Repeated {
		t.Errorf("the second time: %+v %v", again, err)
	}
}

// gated lets one Accept through at a time.
type gated struct {
	ledger.Ledger
	entered chan struct{}
	leave   chan error
}

func (g *gated) Accept(
	ctx context.Context,
	b ledger.Batch,
	rows []intake.Candidate,
	terms ledger.Terms,
) ([]ledger.Receipt, error) {
	g.entered <- struct{}{}
	if err := <-g.leave; err != nil {
		return nil, err
	}
	return g.Ledger.Accept(ctx, b, rows, terms)
}

func TestSameKeyAtWork(t *testing.T) {
	t.Parallel()
	b := newFixture(t, collect.Config{})
	gate := &gated{Ledger: b.ledger, entered: make(chan struct{}), leave: make(chan error)}
	b.Service = newService(t, collect.Config{}, gate, b.events)
	take := func() error {
		d := b.delivery(t, strings.NewReader(collectortest.File(t, 1)))
		d.IdempotencyKey = "order-4711"
		_, err := b.Take(t.Context(), d)
		return err
	}
	done := make(chan error)
	go func() { done <- take() }()
	<-gate.entered
	if err := take(); fault.CodeOf(err) != fault.RequestInProgress {
		t.Errorf("at work: %v", err)
	}
	gate.leave <- nil
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := take(); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// The database goes away in the middle: the sender is told, and sending again under the key loses and doubles nothing.
func TestLedgerThatFailsOnTheWay(t *testing.T) {
	t.Parallel()
	b := newFixture(t, collect.Config{Chunk: 2})
	gate := &gated{Ledger: b.ledger, entered: make(chan struct{}, 9), leave: make(chan error, 9)}
	b.Service = newService(t, collect.Config{Chunk: 2}, gate, b.events)
	take := func() (collect.Result, error) {
		d := b.delivery(t, strings.NewReader(collectortest.File(t, collectortest.Seeds(1, 6)...)))
		d.IdempotencyKey = "order-4711"
		return b.Take(t.Context(), d)
	}
	gate.leave <- nil
	gate.leave <- fault.New(fault.LedgerUnavailable, "disk full")
	r, err := take()
	if fault.CodeOf(err) != fault.LedgerUnavailable || r.Rows != 2 {
		t.Fatalf("%d rows, %v", r.Rows, err)
	}
	for range 3 {
		gate.leave <- nil
	}
	r, err = take()
	if err != nil || r.Outcomes[device.Accepted] != 6 {
		t.Fatalf("%+v %v", r, err)
	}
	if s := b.status(t, r.Batch.ID); s.State != ledger.Complete || s.Rows != 6 {
		t.Errorf("%+v", s)
	}
}
