package sqlledger

import (
	"testing"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/intake"
	"taxiway.example/pkg/ledger/ledgertest"
)

// known returns a device made of a row, in a state; a conflict is a held variant.
func deviceOf(id string, c intake.Candidate, state device.State, conflict bool) *record {
	r := &record{conflict: conflict}
	r.ID, r.Key, r.Kind, r.State = id, c.Key, c.Kind, state
	if conflict {
		r.Variant, r.Code, r.Detail = variantOf(c.Capture), fault.DeviceConflictEK, "held"
	}
	r.recapture(&c)
	return r
}

func TestDecide(t *testing.T) {
	one := ledgertest.Evidence(1, 1, 1, 1)
	other := ledgertest.Evidence(1, 2, 2, 1) // the same serial on another board
	later := ledgertest.Recapture(one, 1)
	for _, test := range []struct {
		name    string
		row     intake.Candidate
		related []*record
		want    verdict
	}{
		{"nobody", one, nil, verdict{outcome: device.Accepted}},
		{
			"unrelated", one,
			[]*record{deviceOf("a", ledgertest.Evidence(1, 0, 0, 2), device.Ready, false)},
			verdict{outcome: device.Accepted},
		},
		{
			"the same, newer", later,
			[]*record{deviceOf("a", one, device.Ready, false)},
			verdict{outcome: device.Duplicate, code: fault.DeviceDuplicate, same: true, newer: true},
		},
		{
			"the same, older", one,
			[]*record{deviceOf("a", later, device.Dead, false)},
			verdict{outcome: device.Duplicate, code: fault.DeviceDuplicate, same: true},
		},
		{
			"the same and a held one that contradicts it", one,
			[]*record{deviceOf("b", other, device.Held, true), deviceOf("a", one, device.Ready, false)},
			verdict{outcome: device.Duplicate, code: fault.DeviceDuplicate, same: true},
		},
		{
			"a contradiction", other,
			[]*record{deviceOf("a", one, device.Ready, false)},
			verdict{outcome: device.Conflict, code: fault.DeviceConflictEK},
		},
		{
			"a contradiction that is held already", other,
			[]*record{deviceOf("b", one, device.Ready, false), deviceOf("a", other, device.Held, true)},
			verdict{outcome: device.Conflict, code: fault.DeviceConflictEK, same: true},
		},
		{
			"a contradiction that was released", other,
			[]*record{deviceOf("b", one, device.Ready, false), deviceOf("a", other, device.Tagged, true)},
			verdict{outcome: device.Duplicate, code: fault.DeviceDuplicate, same: true},
		},
		{
			"a third story against a held one alone", ledgertest.Evidence(1, 3, 3, 1),
			[]*record{deviceOf("b", one, device.Retired, false), deviceOf("a", other, device.Held, true)},
			verdict{outcome: device.Conflict, code: fault.DeviceConflictEK},
		},
		{
			"retired, the same", later,
			[]*record{deviceOf("a", one, device.Retired, false)},
			verdict{outcome: device.Duplicate, code: fault.DeviceRetired},
		},
		{
			"retired, a contradiction by serial", other,
			[]*record{deviceOf("a", one, device.Retired, false)},
			verdict{outcome: device.Accepted},
		},
		{
			"the identity of one, the serial of another", ledgertest.Evidence(1, 1, 0, 5),
			[]*record{deviceOf("b", ledgertest.Evidence(1, 0, 0, 5), device.Ready, false), deviceOf("a", one, device.Ready, false)},
			verdict{outcome: device.Conflict, code: fault.DeviceConflictSerial},
		},
		{
			"without the TPM that is known", ledgertest.Evidence(1, 0, 1, 1),
			[]*record{deviceOf("a", one, device.Ready, false)},
			verdict{outcome: device.Duplicate, code: fault.DeviceDuplicate, same: true},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := decide(&test.row, test.related)
			if id := "a"; (got.device != nil) != (got.outcome == device.Duplicate || got.same) || got.device != nil && got.device.ID != id {
				t.Errorf("device %+v", got.device)
			}
			// Captures of one hour are ordered by their digests: newer is checked where the rows differ in time.
			if !test.want.newer && test.row.Capture.At.Equal(one.Capture.At) {
				got.newer = false
			}
			got.device, got.detail = nil, ""
			if got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestEvidenceIsNotUnlearned(t *testing.T) {
	r := deviceOf("a", ledgertest.Evidence(1, 1, 1, 1), device.Ready, false)
	without := ledgertest.Recapture(ledgertest.Evidence(1, 0, 0, 1), 1)
	if r.lacks(&without) {
		t.Error("a capture without TPM and UUID has nothing to add")
	}
	r.recapture(&without)
	if c := r.capture(); !c.HasEK() || !c.HasUUID() || !c.At.Equal(without.Capture.At) {
		t.Errorf("EK %v, UUID %v, captured %v", c.HasEK(), c.HasUUID(), c.At)
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{"": "", "ü 漢": "ü 漢", "a\x00b": "ab", "\xff\xfea": "\uFFFDa"} {
		if got := clean(in); got != want {
			t.Errorf("clean(%q) = %q, want %q", in, got, want)
		}
	}
}
