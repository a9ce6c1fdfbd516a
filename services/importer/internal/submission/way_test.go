package submission_test

import (
	"slices"
	"testing"
	"time"

	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/hwhash"
)

func TestDevicesAreRegistered(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFixture(t, t, knobs{sim: slow()})
		var hashes []hwhash.Hash
		for seed := range uint64(5) {
			hashes = append(hashes, machine(t, seed+1))
		}
		ids := r.accept(contoso, hashes...)
		if err := r.Submit(t.Context(), r.collected(contoso, ids...)); err != nil {
			t.Fatal(err)
		}
		if posts := r.posts(); len(posts) != 1 || len(posts[0].Serials) != 5 {
			t.Fatalf("posts: %+v", posts)
		}
		for _, id := range ids {
			r.want(contoso, id, device.Submitted, "")
		}
		r.recordsFit(contoso, r.begun.all[0].ID)
		r.run(time.Hour, map[device.TenantID][]string{contoso: ids})

		state := r.state(contoso)
		for i, id := range ids {
			d := r.want(contoso, id, device.Registered, "")
			at := slices.IndexFunc(
				state.Identities,
				func(s simulator.IdentityState) bool { return s.Serial == d.Serial.Reveal() },
			)
			if at < 0 {
				t.Fatalf("device %d is not registered", i)
			}
			got := state.Identities[at]
			tag := "ROW"
			if d.Manufacturer == "Contoso" {
				tag = "BOOK"
			}
			if got.ID != d.RegistrationID || got.GroupTag != tag || got.UserPrincipalName != d.User || d.User == "" {
				t.Errorf(
					"device %d: registered as %+v, the ledger says %s, tag %s, user %s",
					i,
					got,
					d.RegistrationID,
					tag,
					d.User,
				)
			}
			if d.Due.IsZero() {
				t.Errorf("device %d is not due for the grouper", i)
			}
		}
		slices.Sort(ids)
		if got := r.announced(); !slices.Equal(got, ids) {
			t.Errorf("announced %v, want %v", got, ids)
		}
		if left := len(state.Imported); left > 0 {
			t.Errorf("%d import records are left", left)
		}
	})
}

// recordsFit checks that each item of a submission names the record of its own device.
func (r *fixture) recordsFit(id device.TenantID, submission string) {
	r.Helper()
	sub, err := r.ledger.Submission(r.ctx(), id, submission)
	if err != nil {
		r.Fatal(err)
	}
	serials := map[string]string{}
	for _, record := range r.state(id).Imported {
		serials[record.ID] = record.Serial
	}
	for i, item := range sub.Items {
		if serials[item.RecordID] != r.device(id, item.Device).Serial.Reveal() {
			r.Errorf("item %d names the record of another device, or of none", i)
		}
	}
}
