package devicelist_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"taxiway.example/cmd/internal/devicelist"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/hwhash"
	"taxiway.example/pkg/hwhash/hwhashtest"
)

// rows checks a list.
func rows(t testing.TB, list string) []devicelist.Row {
	t.Helper()
	c, err := devicelist.New("", func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	l, err := c.Open("list.csv", strings.NewReader(list))
	if err != nil {
		t.Fatal(err)
	}
	var out []devicelist.Row
	for r, err := range l.Rows(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

func wire(t testing.TB, seed uint64, change func(*hwhash.Report)) string {
	t.Helper()
	_, h := hwhashtest.Synthetic(t, seed, change)
	return h.Wire()
}

// What a Part writes, reads back as the same rows, all of them good.
func TestAPartReadsBackAsItself(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		var list strings.Builder
		list.WriteString("Device Serial Number,Windows Product ID,Hardware Hash,Group Tag,Assigned User\n")
		n := rapid.IntRange(1, 5).Draw(rt, "rows")
		for seed := range n {
			tag := rapid.SampledFrom([]string{"", "KIOSK", "Größe 1"}).Draw(rt, "tag")
			user := rapid.SampledFrom([]string{"", "ada@contoso.com"}).Draw(rt, "user")
			fmt.Fprintf(&list, ",,%s,%s,%s\n", wire(t, uint64(seed), nil), tag, user)
		}
		first := written(t, rows(t, list.String()))
		again := rows(t, first)
		if len(again) != n {
			rt.Fatalf("%d rows became %d", n, len(again))
		}
		for _, r := range again {
			if r.Outcome != device.Accepted || len(r.Warnings) > 0 {
				rt.Errorf("row %d is %s %s %v", r.Row, r.Outcome, r.Code, r.Warnings)
			}
		}
		if second := written(t, again); second != first {
			rt.Errorf("written again it differs:\n%s\n%s", first, second)
		}
	})
}

func written(t testing.TB, rows []devicelist.Row) string {
	t.Helper()
	var p devicelist.Part
	for _, r := range rows {
		if err := p.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	var b strings.Builder
	if _, err := p.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestWhatTheFormCannotSayIsRefused(t *testing.T) {
	t.Parallel()
	serial := func(s string) func(*hwhash.Report) {
		return func(r *hwhash.Report) { r.Serial = hwhash.NewSecret(s) }
	}
	for name, c := range map[string]struct {
		row  string
		want fault.Code
	}{
		"a comma in the serial":           {",,%s,,", fault.RowMalformed},
		"a group tag beyond ANSI":         {",,%s,東京,", fault.RowGroupTagInvalid},
		"nothing special, for comparison": {",,%s,Größe,", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			change := serial("S-1")
			if c.want == fault.RowMalformed {
				change = serial("S,1")
			}
			row := rows(t, "Device Serial Number,Windows Product ID,Hardware Hash,Group Tag,Assigned User\n"+fmt.Sprintf(c.row, wire(t, 3, change))+"\n")[0]
			if row.Outcome != device.Accepted {
				t.Fatalf("%s %s", row.Outcome, row.Code)
			}
			var p devicelist.Part
			err := p.Add(row)
			if c.want == "" {
				if err != nil || p.Len() != 1 {
					t.Fatalf("%v, %d rows", err, p.Len())
				}
				return
			}
			if fault.CodeOf(err) != c.want || p.Len() != 0 {
				t.Errorf("%v, %d rows", err, p.Len())
			}
			if strings.Contains(err.Error(), "S,1") {
				t.Errorf("the error holds the serial: %v", err)
			}
		})
	}
}

func TestAnEmptyListIsAFault(t *testing.T) {
	t.Parallel()
	c, err := devicelist.New("", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	l, err := c.Open("x", strings.NewReader("Device Serial Number,Hardware Hash\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range l.Rows(t.Context()) {
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Code != fault.FileEmpty {
			t.Errorf("%v", err)
		}
	}
}
