package grouping_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/hwhash"
	"taxiway.example/pkg/hwhash/hwhashtest"
	"taxiway.example/pkg/intake"
	"taxiway.example/pkg/ledger"
)

// ready takes devices to ready, the way the stage does.
func (w *fixture) ready(n int) []string {
	w.Helper()
	w.profile(w.group("KIOSK"))
	ids := w.all(n, "KIOSK", "KIOSK")
	w.finish(ids...)
	for _, id := range ids {
		w.want(id, device.Ready, "")
	}
	return ids
}

// resend takes device number n, counted from one, in again.
func (w *fixture) resend(n int, change ...func(*intake.Candidate)) (ledger.Batch, ledger.Receipt) {
	w.Helper()
	h := hwhashtest.Encode(w, hwhash.Synthetic(uint64(n)))
	summary, err := hwhash.Summarize(h)
	if err != nil {
		w.Fatal(err)
	}
	c := intake.Candidate{Row: 1, Canonical: h.Canonical()}
	if c.Candidate, err = device.CandidateOf(device.CaptureOf(summary)); err != nil {
		w.Fatal(err)
	}
	for _, set := range change {
		set(&c)
	}
	b := ledger.Batch{ID: uuid.Must(uuid.NewV7()).String(), Tenant: here, Source: "oem-1", Created: w.now()}
	if _, _, err = w.ledger.OpenBatch(w.Context(), b); err != nil {
		w.Fatal(err)
	}
	receipts, err := w.ledger.Accept(w.Context(), b, []intake.Candidate{c}, ledger.Terms{Due: w.now()})
	if err != nil {
		w.Fatal(err)
	}
	return b, receipts[0]
}

// outcomes counts the rows of a batch.
func (w *fixture) outcomes(b ledger.Batch) map[device.RowOutcome]int {
	w.Helper()
	status, err := w.ledger.Batch(w.Context(), here, b.ID)
	if err != nil {
		w.Fatal(err)
	}
	return status.Outcomes
}

// A ready device that is sent again is looked for: it stays ready, and nothing is announced twice.
func TestReadyDeviceIsConfirmed(t *testing.T) {
	w := newFixture(t)
	id := w.ready(1)[0]
	before := w.device(id).Confirmed
	announced := len(w.announced())
	w.advance(time.Hour)
	batch, r := w.resend(1)
	if r.Code != fault.DeviceCheckDue {
		t.Fatalf("%+v", r)
	}
	w.check(id)
	d := w.want(id, device.Ready, "")
	if !d.Due.IsZero() || !d.Confirmed.After(before) || len(w.announced()) != announced {
		t.Errorf("%+v, %d announced", d, len(w.announced())-announced)
	}
	if o := w.outcomes(batch); o[device.Duplicate] != 1 {
		t.Errorf("%v", o)
	}
}

// A ready device that was deleted in Autopilot starts over when it is sent again, and the row becomes updated.
func TestDeletedDeviceComesBackWhenItIsSentAgain(t *testing.T) {
	w := newFixture(t)
	id := w.ready(1)[0]
	if err := w.sim.Deregister(contoso, w.device(id).RegistrationID); err != nil {
		t.Fatal(err)
	}
	w.advance(time.Hour)
	batch, _ := w.resend(1)
	w.check(id)
	d := w.want(id, device.Collected, fault.AutopilotDeregistered)
	if d.RegistrationID != "" || d.Tag != "" || d.Due.IsZero() {
		t.Errorf("%+v", d)
	}
	if o := w.outcomes(batch); o[device.Updated] != 1 {
		t.Errorf("%v", o)
	}
}

// A check that cannot be made now is made later; the device stays ready, and its row waits.
func TestCheckThatFailsIsMadeLater(t *testing.T) {
	w := newFixture(t)
	id := w.ready(1)[0]
	w.advance(time.Hour)
	batch, _ := w.resend(1)
	for _, status := range []int{503, 429, 403, 500} {
		w.fault(simulator.Fault{Operation: identityGets, Times: 1, Effect: simulator.Reply, Status: status})
		w.check(id)
		if d := w.want(id, device.Ready, ""); !d.Due.After(w.now()) {
			t.Errorf("%d: due %s", status, d.Due)
		}
		w.advance(time.Hour)
	}
	w.check(id)
	if o := w.outcomes(batch); !w.device(id).Due.IsZero() || o[device.Duplicate] != 1 {
		t.Errorf("due %s, %v", w.device(id).Due, o)
	}
}

// A device that Autopilot has shown and does not have any more starts over at once, wherever it waits.
func TestDeletedWhileItWaits(t *testing.T) {
	w := newFixture(t, func(s *setup) { s.sim.Delays.Group = seconds(7 * 24 * 3600) })
	w.profile(w.group("KIOSK"))
	id := w.registered("KIOSK", "KIOSK")
	w.check(id)
	d := w.want(id, device.Tagged, fault.GroupMembershipPending)
	if err := w.sim.Deregister(contoso, d.RegistrationID); err != nil {
		t.Fatal(err)
	}
	w.untilDue(id)
	w.check(id)
	w.want(id, device.Collected, fault.AutopilotDeregistered)
}

// A user that is asked for later is assigned in Autopilot, and shown as assigned only then.
func TestUserIsAssigned(t *testing.T) {
	w := newFixture(t)
	id := w.ready(1)[0]
	asks := func(c *intake.Candidate) { c.User = "ada@contoso.com" }
	if _, r := w.resend(1, asks); r.Outcome != device.Updated {
		t.Fatalf("%+v", r)
	}
	if d := w.device(id); d.State != device.Registered || d.User != "ada@contoso.com" || d.AssignedUser != "" {
		t.Errorf("%+v", d)
	}
	w.finish(id)
	if d := w.want(id, device.Ready, ""); d.AssignedUser != "ada@contoso.com" || w.count(assigns) != 1 {
		t.Errorf("%+v, %d calls", d, w.count(assigns))
	}
	l := w.client.Identities(t.Context(), []string{w.device(id).RegistrationID})[w.device(id).RegistrationID]
	if l.Value.User != "ada@contoso.com" {
		t.Errorf("Autopilot has %q, %v", l.Value.User, l.Err)
	}
	if _, r := w.resend(1, asks); r.Outcome != device.Duplicate {
		t.Errorf("asked for again: %+v", r)
	}
}

// assigns is the operation that assigns a user.
const assigns = "identities.assignUserToDevice"

// Many devices that are sent again at once are looked up in lists: a page for a thousand, and none by itself.
func TestManyChecksTakeFewCalls(t *testing.T) {
	w := newFixture(t)
	const n = 600
	ids := w.ready(n)
	w.advance(time.Hour)
	for i := range n {
		w.resend(i + 1)
	}
	before := w.count("identities.list") + w.count(identityGets)
	for chunk := range slices.Chunk(ids, 100) {
		w.check(chunk...)
	}
	for _, id := range ids {
		if d := w.device(id); d.State != device.Ready || !d.Due.IsZero() {
			t.Fatalf("%+v", d)
		}
	}
	calls := w.count("identities.list") + w.count(identityGets) - before
	t.Logf("%d Graph calls for %d checks", calls, n)
	if calls > 2 {
		t.Errorf("%d Graph calls for %d checks", calls, n)
	}
}
