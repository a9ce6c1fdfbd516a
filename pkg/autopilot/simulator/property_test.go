package simulator

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever clients do, a device belongs to at most one tenant, appears there at
// most once, and a record that says complete has an identity that was its own.
func TestOneOwner(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		o := patient()
		o.Seed = rapid.Int64().Draw(rt, "seed")
		r := newFixture(t, o)
		clients := []*fixture{r, r.as(fabrikam)}
		calls := 0
		rt.Repeat(map[string]func(*rapid.T){
			"import": func(rt *rapid.T) {
				calls++
				var rows []row
				for range rapid.IntRange(1, 4).Draw(rt, "devices") {
					m := pc(fmt.Sprint("D", rapid.IntRange(0, 5).Draw(rt, "device")))
					m.capture = byte(calls)
					rows = append(rows, deviceRow(m, fmt.Sprint(calls)))
				}
				rapid.SampledFrom(clients).Draw(rt, "tenant").do("POST", importPath, importBody(rows...))
			},
			"advance": func(rt *rapid.T) {
				r.s.Advance(time.Duration(rapid.IntRange(1, 400).Draw(rt, "seconds")) * time.Second)
				clients[0] = r.as(contoso)
				clients[1] = r.as(fabrikam)
			},
			"delete": func(rt *rapid.T) {
				i := rapid.IntRange(0, 1).Draw(rt, "tenant")
				for _, d := range r.state([]string{contoso, fabrikam}[i]).Identities {
					if rapid.Bool().Draw(rt, "this") {
						clients[i].do("DELETE", identityPath+"/"+d.ID, nil)
					}
				}
			},
			"reset connection": func(*rapid.T) { r.fault(Fault{Operation: "imported.import", Effect: ResetAfter}) },
			"": func(rt *rapid.T) {
				owners := map[string]string{}
				for _, id := range []string{contoso, fabrikam} {
					st := r.state(id)
					for _, d := range st.Identities {
						if other, twice := owners[d.Key]; twice {
							rt.Fatalf("%s belongs to %s and %s", d.Key, other, id)
						}
						owners[d.Key] = id
					}
					if len(st.Devices) > len(st.Identities) {
						rt.Fatalf("%d Entra devices for %d identities", len(st.Devices), len(st.Identities))
					}
					for _, rec := range st.Imported {
						if (rec.Status == "complete") != (rec.RegistrationID != "") {
							rt.Fatalf("%+v", rec)
						}
					}
				}
			},
		})
	})
}

func FuzzFilter(f *testing.F) {
	for _, seed := range []string{
		"importId eq 'x'", "contains(serialNumber,'a''b')", "physicalIds/any(p: startswith(p,'[ZTDID]'))",
		"a eq 'x' and (b eq 'y' or not c in ('1','2'))", "'",
		"((((", "not not not a eq true",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseFilter(text)
		if err != nil {
			return
		}
		c.match(func(string) []string { return []string{text, ""} })
		c.leaves(func(leaf *condition) {
			if len(leaf.values) == 0 || len(leaf.values) != len(leaf.folded) {
				t.Errorf("%q: %+v", text, leaf)
			}
		})
	})
}

func FuzzRule(f *testing.F) {
	for _, seed := range []string{
		`(device.devicePhysicalIds -any (_ -eq "[OrderID]:x"))`, `device.displayName -eq "a" -or -not (device.deviceId -ne 'b')`, "\"`", "device.displayName -eq '''",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := parseRule(text)
		if err != nil {
			return
		}
		yes := r.match(func(string) []string { return []string{text} })
		if negated, err := parseRule("-not (" + text + ")"); err == nil &&
			negated.match(func(string) []string { return []string{text} }) == yes {
			t.Errorf("%q is true and false", text)
		}
	})
}

func FuzzHash(f *testing.F) {
	blob, err := edmBinary(makeHash(pc("S")))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(blob)
	f.Add(blob[:100])
	f.Add([]byte("OA\x08\x00\x01\x00\x04\x00"))
	f.Fuzz(func(t *testing.T, blob []byte) {
		strict, errStrict := decodeHash(blob, true)
		loose, errLoose := decodeHash(blob, false)
		if errStrict == nil && (errLoose != nil || strict != loose) {
			t.Errorf("a good hash is bad without its checksum: %v", errLoose)
		}
		if errLoose == nil && (loose.Serial == "" || strings.ContainsRune(loose.key(), 0)) {
			t.Errorf("%+v", loose)
		}
	})
}
