package simulator

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestClockSkew(t *testing.T) {
	o := patient()
	o.ClockSkew = time.Hour
	r := newFixture(t, o)
	a := r.do("GET", importedPath, nil)
	at, err := http.ParseTime(a.header.Get("Date"))
	if err != nil || at.Sub(r.state(contoso).Now) != time.Hour {
		t.Errorf("%v %v", at, err)
	}
}

func TestStorageErrorRate(t *testing.T) {
	o := patient()
	o.Quirks.StorageError = 0.5
	r := newFixture(t, o)
	var machines []machine
	for i := range 40 {
		machines = append(machines, pc(fmt.Sprint("E", i)))
	}
	r.register("e", machines...)
	count := map[string]int{}
	for _, outcome := range r.outcomes("e") {
		count[outcome]++
	}
	if len(count) != 2 || count["error StorageError"] < 8 || count["complete None"] < 8 {
		t.Errorf("%v", count)
	}
}

func TestLenientAboutChecksums(t *testing.T) {
	o := patient()
	o.Quirks.VerifyChecksum = false
	o.Quirks.OrderIDPrefix = "[OrderID]"
	r := newFixture(t, o)
	blob, err := base64.StdEncoding.DecodeString(makeHash(pc("L")))
	if err != nil {
		t.Fatal(err)
	}
	total := int(blob[2]) | int(blob[3])<<8
	cutOff := base64.StdEncoding.EncodeToString(blob[:total])
	r.must(
		200,
		"POST",
		importPath,
		importBody(row{"serialNumber": "L", "importId": "l", "hardwareIdentifier": cutOff, "groupTag": "X"}),
	)
	r.s.Advance(10 * time.Minute)
	if got := r.outcomes("l")["L"]; got != "complete None" {
		t.Errorf("%s", got)
	}
	if ids := r.state(contoso).Devices[0].PhysicalIDs; !strings.Contains(strings.Join(ids, " "), "[OrderID]:X") {
		t.Errorf("%v", ids)
	}
}

// The least time between two evaluations stretches a queue of changes.
func TestGroupStep(t *testing.T) {
	o := patient()
	o.Delays.Group = seconds(1, 1)
	o.Delays.GroupStep = seconds(60, 60)
	r := newFixture(t, o)
	id, err := r.s.SeedGroup(contoso, "All", `(device.devicePhysicalIds -any (_ -startsWith "[ZTDid]"))`)
	if err != nil {
		t.Fatal(err)
	}
	r.s.Advance(2 * time.Second)
	seedDevices(r, 3)
	var sizes []int
	for range 4 {
		r.s.Advance(50 * time.Second)
		sizes = append(sizes, len(r.members(id)))
	}
	if fmt.Sprint(sizes) != "[0 1 2 3]" {
		t.Errorf("%v", sizes)
	}
}

func TestBackgroundSync(t *testing.T) {
	o := patient()
	o.Quirks.TagAfterSync = true
	o.Delays.BackgroundSync = seconds(1000, 1000)
	r := newFixture(t, o)
	seedDevices(r, 1)
	r.retag("S00", "NL")
	tag := func() string { return r.state(contoso).Identities[0].GroupTag }
	r.s.Advance(1000 * time.Second)
	if tag() != "" {
		t.Error("too early")
	}
	r.s.Advance(20 * time.Second)
	if tag() != "NL" {
		t.Error("too late")
	}
	r.s.Advance(24 * time.Hour)
	if n, next := r.s.Pending(); n != 2 || next > 1000*time.Second {
		t.Errorf("two tenants have %d changes to come, the next in %v", n, next)
	}
}

func TestWantsJSON(t *testing.T) {
	r := newFixture(t, patient())
	r.must(400, "POST", importPath, importBody(deviceRow(pc("A"), "i")), "Content-Type", "text/plain")
}
