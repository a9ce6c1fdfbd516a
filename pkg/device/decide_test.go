package device_test

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
)

// captured returns a capture that many hours after the first.
func captured(i device.Identifiers, hours int) device.Candidate {
	c := device.Capture{Identifiers: i, CapturedAt: time.Date(2026, 5, 4, hours, 0, 0, 0, time.UTC)}
	c.Digest = sha256.Sum256(
		fmt.Append(nil, i.EKHash, i.UUID, i.Manufacturer, i.Product, i.Serial.Reveal(), i.Components, hours),
	)
	candidate, err := device.CandidateOf(c)
	if err != nil {
		panic(err) // a sample without any identifier
	}
	return candidate
}

// known returns a device made of a row, in a state.
func known(id string, c device.Candidate, state device.State) *device.Known {
	return &device.Known{ID: id, Key: c.Key, Kind: c.Kind, State: state, Capture: c.Capture}
}

// conflict returns a device that became one as a conflict.
func conflict(id string, c device.Candidate, state device.State) *device.Known {
	k := known(id, c, state)
	k.Conflict = true
	k.Code = fault.DeviceConflictEK
	return k
}

func TestDecide(t *testing.T) {
	t.Parallel()
	one := captured(identifiers(ekA, uuidA, "HP", "Book", "5CG1"), 0)
	later := captured(identifiers(ekA, uuidA, "HP", "Book", "5CG1"), 1)
	board := captured(identifiers(ekB, uuidB, "HP", "Book", "5CG1"), 0) // the same serial on another board
	third := captured(identifiers([32]byte{0xC}, uuid(0xC), "HP", "Book", "5CG1"), 0)
	serialOnly := captured(identifiers([32]byte{}, uuidFF, "HP", "Book", "5CG1"), 2)
	accepted := device.Decision{Outcome: device.Accepted}
	duplicate := device.Decision{Outcome: device.Duplicate, Code: fault.DeviceDuplicate}
	for name, test := range map[string]struct {
		row   device.Candidate
		known []*device.Known
		want  device.Decision
		is    string // id of the device that the row is
	}{
		"nobody":    {one, nil, accepted, ""},
		"unrelated": {one, []*device.Known{known("a", captured(identifiers([32]byte{}, uuidFF, "HP", "Book", "5CG2"), 0), device.Ready)}, accepted, ""},
		"the same, newer": {
			later,
			[]*device.Known{known("a", one, device.Ready)},
			device.Decision{Outcome: device.Duplicate, Code: fault.DeviceDuplicate, Newer: true},
			"a",
		},
		"the same, older": {one, []*device.Known{known("a", later, device.Dead)}, duplicate, "a"},
		"the same bytes":  {one, []*device.Known{known("a", one, device.Dead), known("a", one, device.Dead)}, duplicate, "a"},
		"the same and a held one that contradicts it": {
			one, []*device.Known{conflict("b", board, device.Held), known("a", one, device.Ready)}, duplicate, "a",
		},
		"a contradiction": {
			board,
			[]*device.Known{known("a", one, device.Ready)},
			device.Decision{Outcome: device.Conflict, Code: fault.DeviceConflictEK},
			"",
		},
		"a contradiction that is held already": {
			board,
			[]*device.Known{known("b", one, device.Ready), conflict("a", board, device.Held)},
			device.Decision{Outcome: device.Conflict, Code: fault.DeviceConflictEK},
			"a",
		},
		"a contradiction that was released": {
			board, []*device.Known{known("b", one, device.Ready), conflict("a", board, device.Tagged)}, duplicate, "a",
		},
		"a third story against a held one alone": {
			third,
			[]*device.Known{known("b", one, device.Retired), conflict("a", board, device.Held)},
			device.Decision{Outcome: device.Conflict, Code: fault.DeviceConflictEK},
			"",
		},
		"retired, the same": {
			later,
			[]*device.Known{known("a", one, device.Retired)},
			device.Decision{Outcome: device.Duplicate, Code: fault.DeviceDuplicate, Newer: true},
			"a",
		},
		"retired, and contradicts one in service": {
			captured(identifiers(ekA, uuidA, "HP", "Book", "5CG1"), 0),
			[]*device.Known{known("a", one, device.Retired), known("b", board, device.Ready)},
			device.Decision{Outcome: device.Duplicate, Code: fault.DeviceRetired},
			"a",
		},
		"retired, a contradiction by serial": {board, []*device.Known{known("a", one, device.Retired)}, accepted, ""},
		"the identity of one, the serial of another": {
			captured(identifiers(ekA, uuidFF, "HP", "Book", "5CG9"), 0),
			[]*device.Known{known("b", captured(identifiers([32]byte{}, uuidFF, "HP", "Book", "5CG9"), 0), device.Ready), known("a", one, device.Ready)},
			device.Decision{Outcome: device.Conflict, Code: fault.DeviceConflictSerial},
			"",
		},
		"without the TPM that is known": {
			captured(identifiers([32]byte{}, uuidA, "HP", "Book", "5CG1"), 1),
			[]*device.Known{known("a", one, device.Ready)},
			device.Decision{Outcome: device.Duplicate, Code: fault.DeviceDuplicate},
			"a",
		},
		"may be either of two": {
			serialOnly,
			[]*device.Known{known("a", one, device.Ready), conflict("b", board, device.Ready)},
			device.Decision{Outcome: device.Conflict, Code: fault.DeviceConflictSerial},
			"",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := device.Decide(test.row, test.known)
			id := ""
			if got.Is != nil {
				id = got.Is.ID
			}
			if id != test.is {
				t.Errorf("the row is the device %q, want %q", id, test.is)
			}
			if fresh := got.Is == nil; fresh != (got.Key == test.row.Key) ||
				(got.Against != nil) != (fresh && got.Outcome == device.Conflict || got.Code == fault.DeviceRetired) {
				t.Errorf("key %q, against %v", got.Key, got.Against)
			}
			got.Is = nil
			got.Against = nil
			got.Detail = ""
			got.Key = ""
			if got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

// What a later capture cannot read stays known, and a placeholder replaces no real value.
func TestLearn(t *testing.T) {
	t.Parallel()
	full := captured(identifiers(ekA, uuidA, "HP", "Book", "5CG1"), 0)
	for name, later := range map[string]device.Identifiers{
		"placeholders": identifiers(ekA, uuidFF, "HP Inc.", "Book G2", "Default string"),
		"suspicions":   identifiers(ekA, uuidFF, "HP Inc.", "Book G2", "11111111"),
		"no TPM":       identifiers([32]byte{}, uuidA, "HP Inc.", "Book G2", "5CG1"),
	} {
		k := known("a", full, device.Ready)
		if c := captured(later, 1); !k.Learn(c, true) || k.Digest != c.Capture.Digest {
			t.Errorf("%s: the later capture is not kept", name)
		}
		if k.EKHash != ekA || k.UUID != uuidA || k.Serial != full.Capture.Serial || k.Key != full.Key {
			t.Errorf("%s replaced what was known", name)
		}
		if k.Manufacturer != "HP Inc." || k.Product != "Book G2" {
			t.Errorf("%s: the names are %s %s", name, k.Manufacturer, k.Product)
		}
	}
	k := known("a", captured(identifiers([32]byte{}, uuidFF, "HP", "Book", "5CG1"), 5), device.Ready)
	if !k.Learn(full, false) || k.EKHash != ekA || k.UUID != uuidA || k.Key != full.Key || k.Kind != device.KeyTPMEK {
		t.Error("an older capture with more identifiers teaches them")
	}
	if k.CapturedAt.Equal(full.Capture.CapturedAt) || k.Learn(full, false) {
		t.Error("an older capture with nothing new changes nothing")
	}
}
