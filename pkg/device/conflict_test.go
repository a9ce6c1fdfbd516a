package device_test

import (
	"testing"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
)

// What keeps a held device held, seen from now: others may have been retired, released or learned more.
func TestContradictions(t *testing.T) {
	t.Parallel()
	none := [32]byte{}
	one := captured(identifiers(ekA, uuidA, "HP", "Book", "5CG1"), 0)
	board := captured(identifiers(ekB, uuidB, "HP", "Book", "5CG1"), 0)
	third := captured(identifiers([32]byte{0xC}, uuid(0xC), "HP", "Book", "5CG1"), 0)
	fourth := captured(identifiers([32]byte{0xD}, uuid(0xD), "HP", "Book", "5CG1"), 0)
	shared := captured(identifiers(none, uuidA, "HP", "Book", "5CG2"), 0)
	learned := captured(identifiers(ekB, uuidB, "HP", "Book", "5CG1"), 1)
	stranger := captured(identifiers(none, uuidFF, "HP", "Book", "5CG9"), 0)
	twice := known("a", one, device.Ready)
	type contradiction struct {
		against  string
		relation device.Relation
		both     bool
	}
	for name, test := range map[string]struct {
		held  device.Candidate
		known []*device.Known
		want  []contradiction
	}{
		"nobody":              {board, nil, nil},
		"a stranger":          {board, []*device.Known{known("a", stranger, device.Ready)}, nil},
		"one in service":      {board, []*device.Known{known("a", one, device.Ready)}, []contradiction{{"a", device.Contradicts, false}}},
		"a dead one":          {board, []*device.Known{known("a", one, device.Dead)}, []contradiction{{"a", device.Contradicts, false}}},
		"a retired one":       {board, []*device.Known{known("a", one, device.Retired)}, nil},
		"one that waits, too": {board, []*device.Known{conflict("a", one, device.Held)}, nil},
		"a released one":      {board, []*device.Known{conflict("a", one, device.Tagged)}, []contradiction{{"a", device.Contradicts, false}}},
		"one UUID in two":     {shared, []*device.Known{known("a", one, device.Ready)}, []contradiction{{"a", device.Contradicts, true}}},
		"itself by now":       {board, []*device.Known{known("a", learned, device.Ready)}, []contradiction{{"a", device.SameOlder, false}}},
		"two, by id, and itself": {
			board,
			[]*device.Known{
				known("b", third, device.Ready), known("h", board, device.Held), twice, twice,
			},
			[]contradiction{{"a", device.Contradicts, false}, {"b", device.Contradicts, false}},
		},
		"a serial that many TPM keys show to be a placeholder": {
			board, []*device.Known{
				known("a", one, device.Ready), known("b", third, device.Ready), known("c", fourth, device.Ready),
			}, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := conflict("h", test.held, device.Held)
			var got []contradiction
			for _, c := range h.Contradictions(test.known) {
				got = append(got, contradiction{c.Against.ID, c.Relation, c.BothExist})
			}
			if len(got) != len(test.want) {
				t.Fatalf("%v, want %v", got, test.want)
			}
			for i := range got {
				if got[i] != test.want[i] {
					t.Errorf("%v, want %v", got[i], test.want[i])
				}
			}
		})
	}
}

func TestHeldAsConflict(t *testing.T) {
	t.Parallel()
	one := captured(identifiers(ekA, uuidA, "HP", "Book", "5CG1"), 0)
	elsewhere := conflict("a", one, device.Held)
	elsewhere.Code = fault.AutopilotOtherTenant
	for k, want := range map[*device.Known]bool{
		conflict("a", one, device.Held): true, conflict("a", one, device.Ready): false, elsewhere: false,
	} {
		if k.HeldAsConflict() != want {
			t.Errorf("%s, %s: %v", k.State, k.Code, !want)
		}
	}
}

func TestSidesAreReadBack(t *testing.T) {
	t.Parallel()
	const id = "0199a2c4-0000-7000-8000-000000000000"
	if got := device.KnownSide("Same serial. " + device.Sides("h", id)); got != id {
		t.Errorf("%q", got)
	}
	if got := device.KnownSide("Another device."); got != "" {
		t.Errorf("%q", got)
	}
}
