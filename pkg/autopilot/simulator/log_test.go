package simulator

import (
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestBlindReposts(t *testing.T) {
	post := func(r *fixture) { r.do("POST", importPath, importBody(deviceRow(pc("A"), "first"))) }
	poll := func(path string) func(*fixture) {
		return func(r *fixture) { r.do("GET", path, nil) }
	}
	byID := importedPath + "?$filter=" + url.QueryEscape("importId eq 'FIRST'")
	byOther := importedPath + "?$filter=" + url.QueryEscape("importId eq 'other'")
	bySerial := identityPath + "?$filter=" + url.QueryEscape("contains(serialNumber,'a')")
	for name, tc := range map[string]struct {
		fault Fault
		steps []func(*fixture)
		want  int
	}{
		"once":                        {Fault{}, []func(*fixture){post}, 0},
		"twice":                       {Fault{}, []func(*fixture){post, post}, 1},
		"three times":                 {Fault{}, []func(*fixture){post, post, post}, 2},
		"looked by import id":         {Fault{}, []func(*fixture){post, poll(byID), post}, 0},
		"looked by serial":            {Fault{}, []func(*fixture){post, poll(bySerial), post}, 0},
		"looked at everything":        {Fault{}, []func(*fixture){post, poll(importedPath), post}, 0},
		"looked elsewhere":            {Fault{}, []func(*fixture){post, poll(byOther), post}, 1},
		"looked too early":            {Fault{}, []func(*fixture){poll(byID), post, post}, 1},
		"refused with a clear no":     {Fault{Operation: "imported.import", Effect: Reply, Status: 429}, []func(*fixture){post, post}, 0},
		"reset after":                 {Fault{Operation: "imported.import", Effect: ResetAfter}, []func(*fixture){post, post}, 1},
		"reset before":                {Fault{Operation: "imported.import", Effect: ResetBefore}, []func(*fixture){post, post}, 1},
		"unavailable":                 {Fault{Operation: "imported.import", Effect: Reply, Status: 503}, []func(*fixture){post, post}, 1},
		"the look was not answered":   {Fault{Operation: "imported.list", Effect: ResetAfter}, []func(*fixture){post, poll(byID), post}, 1},
		"the look got half a page":    {Fault{Operation: "imported.list", Effect: Truncate}, []func(*fixture){post, poll(byID), post}, 1},
		"another tenant's own device": {Fault{}, []func(*fixture){post, func(r *fixture) { post(r.as(fabrikam)) }}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := newFixture(t, patient())
			if tc.fault.Effect != "" {
				r.fault(tc.fault)
			}
			for _, step := range tc.steps {
				step(r)
			}
			if got := BlindReposts(r.s.Log()); len(got) != tc.want {
				t.Errorf("got %d, want %d: %+v", len(got), tc.want, got)
			}
		})
	}
}

// A capture of the same device under another import id is the same device; a
// twin inside one call is not a repost.
func TestRepostsAreByDevice(t *testing.T) {
	r := newFixture(t, patient())
	again := pc("A")
	again.capture = 9
	r.must(200, "POST", importPath, importBody(deviceRow(pc("A"), "1"), deviceRow(again, "1")))
	if got := BlindReposts(r.s.Log()); len(got) != 0 {
		t.Errorf("twins: %+v", got)
	}
	r.must(200, "POST", importPath, importBody(deviceRow(again, "2")))
	if got := BlindReposts(r.s.Log()); len(got) != 1 || got[0].First.Seq >= got[0].Second.Seq {
		t.Errorf("again: %+v", got)
	}
}

func TestLogIsBounded(t *testing.T) {
	o := patient()
	o.MaxLog = 10
	r := newFixture(t, o)
	for range 100 {
		r.must(200, "GET", importedPath, nil)
	}
	log := r.s.Log()
	if len(log) > 10 || log[len(log)-1].Seq != 101 {
		t.Errorf("%d entries, last %d", len(log), log[len(log)-1].Seq)
	}
}

// Nothing happens behind a request's back: what is due happens when somebody
// looks, in order, however late.
func TestLateProgress(t *testing.T) {
	now := time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)
	o := patient()
	o.Now = func() time.Time { return now }
	r := newFixture(t, o)
	all, err := r.s.SeedGroup(contoso, "All", `(device.devicePhysicalIds -any (_ -startsWith "[ZTDid]"))`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.s.SeedProfile(contoso, "P", all); err != nil {
		t.Fatal(err)
	}
	r.must(200, "POST", importPath, importBody(deviceRow(pc("A"), "i")))
	if n, next := r.s.Pending(); n == 0 || next < 0 {
		t.Errorf("pending %d in %v", n, next)
	}
	now = now.Add(48 * time.Hour)
	d := r.state(contoso).Identities[0]
	if d.ProfileStatus != "assignedInSync" || !d.ProfileAssigned.Before(now.Add(-40*time.Hour)) {
		t.Errorf("%+v", d)
	}
	if n, _ := r.s.Pending(); n != 0 {
		t.Errorf("%d changes left", n)
	}
}

// The same seed and requests give the same world, ids and all.
func TestSeedDecides(t *testing.T) {
	seeded := func(seed int64) State {
		o := patient()
		o.Seed = seed
		r := newFixture(t, o)
		r.register("i", pc("A"), pc("B"), pc("C"))
		return r.state(contoso)
	}
	if diff := cmp.Diff(seeded(3), seeded(3)); diff != "" {
		t.Error(diff)
	}
	if cmp.Equal(seeded(3), seeded(4)) {
		t.Error("the seed does not matter")
	}
}

func TestReset(t *testing.T) {
	r := newFixture(t, patient())
	r.register("i", pc("A"))
	r.s.Reset()
	if len(r.s.Tenants()) != 0 || len(r.s.Log()) != 0 {
		t.Error("something is left")
	}
	if a := r.do("GET", importedPath, nil); a.status != 401 {
		t.Errorf("%d", a.status)
	}
	_, err := r.s.State(contoso)
	wantErr(t, err, ErrTenant)
}
