package autopilot_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/fault"
)

// TestListsSayWhatSingleReadsSay: whoever reads a list instead of single devices learns the same about each.
func TestListsSayWhatSingleReadsSay(t *testing.T) {
	r := newFixture(t)
	devices := machines(t, 25)
	for i := range devices[:10] {
		devices[i].GroupTag = "KIOSK"
	}
	var ids, entraIDs []string
	for _, id := range r.registered(devices...) {
		ids = append(ids, id)
	}
	before := r.count("identities.get")
	all := map[string]autopilot.Identity{}
	for i, err := range r.AllIdentities(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		all[i.ID] = i
		entraIDs = append(entraIDs, i.EntraDeviceID)
	}
	if r.count("identities.list") != 1 || r.count("identities.get") != before {
		t.Errorf("%v", r.operations())
	}
	for id, l := range r.Identities(t.Context(), ids) {
		if diff := cmp.Diff(l.Value, all[id]); l.Err != nil || diff != "" || len(all) != 25 {
			t.Errorf("%v %s", l.Err, diff)
		}
	}
	objects := map[string]autopilot.EntraDevice{}
	for d, err := range r.AllEntraDevices(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		objects[d.DeviceID] = d
		for _, entry := range d.PhysicalIDs {
			if upper := strings.ToUpper(entry); !strings.HasPrefix(upper, "[ZTDID]:") &&
				!strings.HasPrefix(upper, "[ORDERID]:") {
				t.Errorf("kept %s", entry)
			}
		}
	}
	tagged := 0
	for id, l := range r.EntraDevices(t.Context(), entraIDs) {
		tag, ok := l.Value.GroupTag()
		ztd, _ := l.Value.AutopilotID()
		listedTag, listedOK := objects[id].GroupTag()
		listedZTD, _ := objects[id].AutopilotID()
		if l.Err != nil || tag != listedTag || ok != listedOK || ztd == "" || ztd != listedZTD ||
			l.Value.ObjectID != objects[id].ObjectID {
			t.Errorf("%+v, in the list %+v", l, objects[id])
		}
		if ok {
			tagged++
		}
	}
	if tagged != 10 || len(objects) != 25 {
		t.Errorf("%d of %d devices have a tag", tagged, len(objects))
	}
}

func TestListsPassRefusalsOn(t *testing.T) {
	r := newFixture(t)
	r.registered(machines(t, 2)...)
	r.fault(
		simulator.Fault{
			Operation: "devices.list",
			Effect:    simulator.Reply,
			Status:    400,
			Code:      "Request_UnsupportedQuery",
		},
	)
	r.fault(simulator.Fault{Operation: "identities.list", Effect: simulator.Reply, Status: 429, RetryAfter: "7"})
	for _, err := range r.AllEntraDevices(t.Context()) {
		r.wantCode(err, fault.GraphBadRequest)
	}
	for _, err := range r.AllIdentities(t.Context()) {
		r.wantCode(err, fault.GraphThrottled)
	}
	seen := 0
	for range r.AllIdentities(t.Context()) {
		seen++
		break
	}
	if seen != 1 {
		t.Error("a list can be broken off")
	}
}
