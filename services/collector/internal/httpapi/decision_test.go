package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"taxiway.example/pkg/api"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/hwhash"
	"taxiway.example/pkg/ledger/ledgertest"
	"taxiway.example/services/collector/internal/collectortest"
	"taxiway.example/services/collector/internal/httpapi"
)

// swapped takes in a device and the same with another board, which is held.
func (r *fixture) swapped(t *testing.T) (old, held string, refusal problem) {
	t.Helper()
	_, before := collectortest.Device(t, 1, nil)
	_, swapped := collectortest.Device(t, 1, func(r *hwhash.Report) { r.SetEK([]byte(strings.Repeat("k", 256))) })
	post := func(hash string) *httptest.ResponseRecorder {
		return r.post(t, "/v1/devices", contosoKey, map[string]string{"hardwareHash": hash})
	}
	old = answer[api.Row](t, post(before), http.StatusAccepted).Device
	refusal = refused(t, post(swapped), http.StatusConflict, fault.DeviceConflictEK)
	return old, refusal.Device, refusal
}

// A board was swapped: the device with the new one is not released beside the other, which is retired first.
func TestRetireAndRelease(t *testing.T) {
	t.Parallel()
	r := newFixture(t, httpapi.Config{})
	old, held, conflict := r.swapped(t)
	why := map[string]any{"reason": "the board was swapped"}
	decide := func(id, verb string) *httptest.ResponseRecorder {
		return r.post(t, "/v1/devices/"+id+"/"+verb, contosoOps, why)
	}
	refused(t, decide(old, "release"), http.StatusConflict, fault.DeviceWrongState)
	stands := refused(t, decide(held, "release"), http.StatusConflict, fault.DeviceContradictionStands)
	for _, p := range []problem{conflict, stands} {
		if p.Device != held || !strings.Contains(p.Detail, device.Sides(held, old)) ||
			!strings.Contains(p.Hint, "taxiway device replace "+old+" "+held) {
			t.Errorf("%+v", p)
		}
	}
	ledgertest.MoveTo(t, r.ledger, "contoso", old, device.Ready)
	if d := answer[api.Device](t, decide(old, "retire"), http.StatusOK); d.State != device.Retired || d.Due != nil {
		t.Errorf("%+v", d)
	}
	if d := answer[api.Device](t, decide(held, "release"), http.StatusOK); d.State != device.Collected || d.Code != "" ||
		d.Due == nil || !d.Due.Equal(start) {
		t.Errorf("%+v", d)
	}
	refused(t, decide(held, "release"), http.StatusConflict, fault.DeviceWrongState)
	entries, err := r.ledger.Entries(t.Context(), "contoso", 10)
	if err != nil || len(entries) != 2 || entries[0].Actor != "operator:ops" || entries[0].Reason != why["reason"] {
		t.Errorf("%+v %v", entries, err)
	}
}

// Both steps in one; a dry run before that changes nothing.
func TestReplace(t *testing.T) {
	t.Parallel()
	r := newFixture(t, httpapi.Config{})
	old, held, _ := r.swapped(t)
	body := map[string]any{"reason": "the board was swapped", "with": held, "dryRun": true}
	for _, dryRun := range []bool{true, false} {
		body["dryRun"] = dryRun
		both := answer[api.Replacement](t, r.post(t, "/v1/devices/"+old+"/replace", contosoOps, body), http.StatusOK)
		if both.Retired.ID != old || both.Retired.State != device.Retired || both.Released.ID != held ||
			both.Released.State != device.Collected {
			t.Errorf("%+v", both)
		}
	}
	for id, state := range map[string]device.State{old: device.Retired, held: device.Collected} {
		d := answer[api.Device](t, r.get(t, "/v1/devices/"+id, contosoKey), http.StatusOK)
		if d.State != state {
			t.Errorf("%+v", d)
		}
	}
	refused(t, r.post(t, "/v1/devices/"+old+"/replace", contosoOps, body), http.StatusConflict, fault.DeviceNotInConflict)
}

func TestDecisionsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	r := newFixture(t, httpapi.Config{})
	old, held, _ := r.swapped(t)
	for name, body := range map[string]any{
		"no reason": map[string]string{"reason": " "}, "too long": map[string]string{"reason": strings.Repeat("x", 256)},
		"NUL": map[string]string{"reason": "a\x00"}, "a name unknown": map[string]string{"reasons": "x"},
		"a list": []string{"x"}, "another's member": map[string]any{"reason": "x", "rows": 1},
	} {
		for _, path := range []string{old + "/retire", held + "/release", old + "/replace"} {
			if w := r.post(t, "/v1/devices/"+path, contosoOps, body); w.Code != http.StatusBadRequest {
				t.Errorf("%s, %s: %d", path, name, w.Code)
			}
		}
	}
}
