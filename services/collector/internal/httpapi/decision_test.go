package httpapi_test

import (
	"net/http"
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

// A board was swapped: the operator retires the device as it was, and lets the new one go on.
func TestRetireAndRelease(t *testing.T) {
	t.Parallel()
	r := newFixture(t, httpapi.Config{})
	_, before := collectortest.Device(t, 1, nil)
	_, swapped := collectortest.Device(t, 1, func(r *hwhash.Report) { r.SetEK([]byte(strings.Repeat("k", 256))) })
	old := answer[api.Row](
		t,
		r.post(t, "/v1/devices", contosoKey, map[string]string{"hardwareHash": before}),
		http.StatusAccepted,
	).Device
	held := refused(
		t,
		r.post(t, "/v1/devices", contosoKey, map[string]string{"hardwareHash": swapped}),
		http.StatusConflict,
		fault.DeviceConflictEK,
	).Device
	why := map[string]string{"reason": "the board was swapped"}
	refused(t, r.post(t, "/v1/devices/"+old+"/release", contosoOps, why), http.StatusConflict, fault.DeviceWrongState)
	ledgertest.MoveTo(t, r.ledger, "contoso", old, device.Ready)
	if d := answer[api.Device](t, r.post(t, "/v1/devices/"+old+"/retire", contosoOps, why), http.StatusOK); d.State != device.Retired ||
		d.Due != nil {
		t.Errorf("%+v", d)
	}
	if d := answer[api.Device](t, r.post(t, "/v1/devices/"+held+"/release", contosoOps, why), http.StatusOK); d.State != device.Collected ||
		d.Code != "" ||
		d.Due == nil ||
		!d.Due.Equal(start) {
		t.Errorf("%+v", d)
	}
	refused(t, r.post(t, "/v1/devices/"+held+"/release", contosoOps, why), http.StatusConflict, fault.DeviceWrongState)
	entries, err := r.ledger.Entries(t.Context(), "contoso", 10)
	if err != nil || len(entries) != 2 || entries[0].Actor != "operator:ops" || entries[0].Reason != why["reason"] {
		t.Errorf("%+v %v", entries, err)
	}
	for name, body := range map[string]any{
		"no reason": map[string]string{"reason": " "}, "too long": map[string]string{"reason": strings.Repeat("x", 256)},
		"NUL": map[string]string{"reason": "a\x00"}, "a name unknown": map[string]string{"reasons": "x"},
		"a list": []string{"x"},
	} {
		if w := r.post(t, "/v1/devices/"+old+"/release", contosoOps, body); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
}
