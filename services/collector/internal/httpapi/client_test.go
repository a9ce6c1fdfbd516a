package httpapi_test

import (
	"errors"
	"iter"
	"net/http/httptest"
	"strings"
	"testing"

	"taxiway.example/pkg/api"
	"taxiway.example/pkg/api/client"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/services/collector/internal/collectortest"
	"taxiway.example/services/collector/internal/httpapi"
)

// must returns the value of a call that must succeed.
func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// all returns everything a listing yields.
func all[T any](t *testing.T, listing iter.Seq2[T, error]) []T {
	t.Helper()
	var list []T
	for v, err := range listing {
		list = append(list, must[T](t)(v, err))
	}
	return list
}

func isProblem(t *testing.T, err error, code fault.Code) {
	t.Helper()
	if p, ok := errors.AsType[*client.Problem](err); !ok || p.Code != code {
		t.Errorf("%v, want %s", err, code)
	}
}

// Every method of the Go client, against the API.
func TestGoClient(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	r := newFixture(t, httpapi.Config{})
	server := httptest.NewServer(r.API)
	t.Cleanup(server.Close)
	with := func(key string) *client.Client { return must[*client.Client](t)(client.New(server.URL, key)) }
	sender := with(contosoKey)
	operator := with(contosoOps)

	list := strings.NewReader(collectortest.File(t, 1, 2) + "X,,,,\r\n")
	receipt := must[api.Receipt](t)(sender.Submit(ctx, list, client.Upload{Name: "n.csv", IdempotencyKey: "k"}))
	b := must[api.Batch](t)(sender.Batch(ctx, receipt.ID))
	if b.Rows != 3 || b.Name != "n.csv" || b.States[device.Collected] != 2 || b.Done {
		t.Errorf("%+v", b)
	}
	rows := all(t, sender.Rows(ctx, receipt.ID, ""))
	if failed := all(t, sender.Rows(ctx, receipt.ID, "failed")); len(rows) != 3 || len(failed) != 1 ||
		failed[0].Row != 3 {
		t.Fatalf("%+v, failed %+v", rows, failed)
	}
	serial, _ := collectortest.Device(t, 1, nil)
	if found := must[[]api.Device](t)(sender.BySerial(ctx, serial)); len(found) != 1 || found[0].ID != rows[0].Device {
		t.Errorf("%+v", found)
	}
	dead := rows[0].Device
	other := rows[1].Device
	r.kill(t, dead)
	if d := must[api.Device](t)(sender.Device(ctx, dead)); d.State != device.Dead ||
		d.Code != fault.AutopilotInvalidHash {
		t.Errorf("%+v", d)
	}
	line := must[[]api.Transition](t)(sender.Timeline(ctx, dead))
	if len(line) < 2 || line[len(line)-1].To != device.Dead {
		t.Errorf("%+v", line)
	}

	open := all(t, operator.DeadLetters(ctx, string(fault.AutopilotInvalidHash)))
	if len(open) != 1 || open[0].Device != dead || len(all(t, operator.DeadLetters(ctx, "no.code"))) != 0 {
		t.Fatalf("%+v", open)
	}
	results := must[[]api.Replayed](t)(operator.Replay(ctx, []string{open[0].ID}, "fixed"))
	if len(results) != 1 || !results[0].OK() || results[0].Device != dead {
		t.Errorf("%+v", results)
	}
	if d := must[api.Device](t)(operator.Retire(ctx, other, api.Decision{Reason: "sold"})); d.State != device.Retired {
		t.Errorf("%+v", d)
	}
	_, err := operator.Release(ctx, other, api.Release{Decision: api.Decision{Reason: "back"}})
	isProblem(t, err, fault.DeviceWrongState)
	_, err = operator.Replace(ctx, other, api.Replace{Decision: api.Decision{Reason: "new"}, With: dead})
	isProblem(t, err, fault.DeviceNotInConflict)
	moved := api.Decision{Reason: "moved"}
	if d, err := operator.Change(ctx, other, api.Change{Decision: moved, GroupTag: "LAB"}); err != nil ||
		d.GroupTag != "LAB" {
		t.Errorf("%+v %v", d, err)
	}
	for _, bad := range []api.Change{{}, {User: "nobody"}, {GroupTag: strings.Repeat("x", 1000)}} {
		bad.Decision = moved
		_, err = operator.Change(ctx, other, bad)
		isProblem(t, err, fault.RequestInvalid)
	}
	_, err = sender.Batch(ctx, "none")
	isProblem(t, err, fault.RequestNotFound)
	_, err = sender.Replay(ctx, []string{open[0].ID}, "fixed")
	isProblem(t, err, fault.RequestForbidden)
	_, err = with("no key").Device(ctx, dead)
	isProblem(t, err, fault.RequestUnauthenticated)
}
