package httpapi_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/ledger/ledgertest"
	"taxiway.example/services/collector/internal/collect"
	"taxiway.example/services/collector/internal/collectortest"
	"taxiway.example/services/collector/internal/httpapi"
)

func TestBatchStatus(t *testing.T) {
	t.Parallel()
	r := newFixture(t, httpapi.Config{})
	sent := answer[batch](
		t,
		r.upload(t, contosoKey, collectortest.File(t, 1, 2)+"X,,,,\r\nS,,broken,,\r\n"),
		http.StatusAccepted,
	)
	w := r.get(t, sent.Links.Self, contosoKey)
	b := answer[batch](t, w, http.StatusOK)
	if b.Rows != 4 || b.States["collected"] != 2 || b.InFlight != 2 || b.Done || len(b.Rejects) != 2 {
		t.Errorf("%+v", b)
	}
	if w.Header().Get("Retry-After") != "5" {
		t.Errorf("Retry-After %q", w.Header().Get("Retry-After"))
	}
	tag := w.Header().Get("ETag")
	for given, status := range map[string]int{tag: 304, `"x", W/` + tag: 304, "*": 304, `"x"`: 200} {
		if got := r.get(t, sent.Links.Self, contosoKey, "If-None-Match", given).Code; got != status {
			t.Errorf("If-None-Match %s: %d", given, got)
		}
	}
	// A device moves, and so does the tag.
	devices, err := r.ledger.ClaimDevices(
		t.Context(),
		device.StageImport,
		ledger.Claim{Tenant: "contoso", Now: start.AddDate(1, 0, 0), Until: start.AddDate(2, 0, 0), Limit: 1},
	)
	if err != nil || len(devices) != 1 {
		t.Fatal(devices, err)
	}
	r.kill(t, devices[0].ID)
	if got := r.get(t, sent.Links.Self, contosoKey, "If-None-Match", tag); got.Code != http.StatusOK {
		t.Errorf("the tag stayed although a device died: %d", got.Code)
	}
}

func TestFindBatches(t *testing.T) {
	t.Parallel()
	r := newFixture(t, httpapi.Config{})
	sent := answer[batch](
		t,
		r.upload(t, contosoKey, collectortest.File(t, 1), "Idempotency-Key", "order 4711"),
		http.StatusAccepted,
	)
	queued, _, err := r.ledger.OpenBatch(
		t.Context(),
		ledger.Batch{
			ID:             "b2",
			Tenant:         "contoso",
			Source:         "oem-a",
			IdempotencyKey: collect.QueueKey("oem-a", "order 4711"),
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]string{
		"idempotencyKey=order+4711":       sent.ID,
		"queue=oem-a&message=order+4711":  queued.ID,
		"queue=oem-b&message=order+4711":  "",
		"queue=oem-a&message=order":       "",
		"idempotencyKey=oem-a+order+4711": "",
	} {
		got := answer[struct{ Batches []batch }](t, r.get(t, "/v1/batches?"+query, contosoKey), http.StatusOK)
		if len(got.Batches) != min(len(want), 1) || want != "" && got.Batches[0].ID != want {
			t.Errorf("%s: %+v, want %q", query, got, want)
		}
		others := answer[struct{ Batches []batch }](t, r.get(t, "/v1/batches?"+query, fabrikamKey), http.StatusOK)
		if len(others.Batches) != 0 {
			t.Errorf("%s: another tenant is told of %+v", query, others)
		}
	}
	for _, query := range []string{"", "queue=oem-a", "message=1", "idempotencyKey=1&queue=oem-a&message=1"} {
		refused(t, r.get(t, "/v1/batches?"+query, contosoKey), http.StatusBadRequest, fault.RequestInvalid)
	}
}

// kill gives a device up.
func (r *fixture) kill(t testing.TB, id string) {
	t.Helper()
	ledgertest.MoveTo(t, r.ledger, "contoso", id, device.Dead, func(m *ledger.Move) {
		m.Code = fault.AutopilotInvalidHash
		m.Detail = "802"
		m.By = "importer"
	})
}

func TestRowsInPages(t *testing.T) {
	t.Parallel()
	r := newFixture(t, httpapi.Config{})
	sent := answer[batch](
		t,
		r.upload(t, contosoKey, collectortest.File(t, collectortest.Seeds(1, 7)...)+"X,,,,\r\n"),
		http.StatusAccepted,
	)
	var numbers []int
	pages := 0
	for path := sent.Links.Rows + "?limit=3"; path != ""; pages++ {
		page := answer[struct {
			Rows []row
			Next string
		}](t, r.get(t, path, contosoKey), http.StatusOK)
		for _, row := range page.Rows {
			numbers = append(numbers, row.Row)
		}
		path = page.Next
	}
	if diff := cmp.Diff([]int{1, 2, 3, 4, 5, 6, 7, 8}, numbers); diff != "" || pages != 3 {
		t.Errorf("%d pages, %s", pages, diff)
	}
	for query, want := range map[string]int{"outcome=rejected": 1, "outcome=accepted": 7, "outcome=failed": 1, "outcome=conflict": 0, "after=6": 2} {
		page := answer[struct{ Rows []row }](t, r.get(t, sent.Links.Rows+"?"+query, contosoKey), http.StatusOK)
		if len(page.Rows) != want {
			t.Errorf("%s: %d rows, want %d", query, len(page.Rows), want)
		}
	}
	for _, query := range []string{"outcome=gone", "after=-1", "limit=0", "limit=x", "limit=999999", "format=xml", "format=octet"} {
		refused(t, r.get(t, sent.Links.Rows+"?"+query, contosoKey), http.StatusBadRequest, fault.RequestInvalid)
	}
}

// Streams hold all rows, however many pages of the ledger they take.
func TestRowsAsStreams(t *testing.T) {
	t.Parallel()
	const n = 1203
	r := newFixture(t, httpapi.Config{})
	sent := answer[batch](
		t,
		r.upload(t, contosoKey, collectortest.Header+strings.Repeat("S,,,,\r\n", n)),
		http.StatusAccepted,
	)
	w := r.get(t, sent.Links.Rows+"?outcome=failed", contosoKey, "Accept", "text/html, application/x-ndjson;q=0.9")
	lines := strings.Split(strings.TrimSpace(w.Body.String()), "\n")
	if w.Header().Get("Content-Type") != "application/x-ndjson" || len(lines) != n {
		t.Fatalf("%s, %d lines", w.Header().Get("Content-Type"), len(lines))
	}
	for i, line := range lines {
		var got row
		if err := json.Unmarshal([]byte(line), &got); err != nil || got.Row != i+1 || got.Outcome != "rejected" {
			t.Fatalf("line %d: %+v %v", i+1, got, err)
		}
	}
	w = r.get(t, sent.Links.Failed+"&format=csv", contosoKey)
	records, err := csv.NewReader(w.Body).ReadAll()
	if err != nil || len(records) != n+1 || records[n][0] != strconv.Itoa(n) ||
		records[n][2] != string(fault.RowHashMissing) {
		t.Errorf("%d records, %v", len(records), err)
	}
	if !strings.HasPrefix(w.Header().Get("Content-Disposition"), "attachment;") {
		t.Errorf("%v", w.Header())
	}
}

func TestReportsAreNoFormulas(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@x": "'@x", "\tx": "'\tx", "\rx": "'\rx", "＝x": "'＝x",
		"x=1": "x=1", "": "", "ä": "ä",
	} {
		if got := httpapi.Guard(given); got != want {
			t.Errorf("%q became %q, want %q", given, got, want)
		}
	}
}

func TestDevices(t *testing.T) {
	t.Parallel()
	r := newFixture(t, httpapi.Config{})
	serial, _ := collectortest.Device(t, 1, nil)
	answer[batch](t, r.upload(t, contosoKey, collectortest.File(t, 1)), http.StatusAccepted)
	type device struct {
		ID, SerialNumber, Manufacturer, Model, State, MatchedBy string
		TPM20                                                   bool
	}
	found := answer[struct{ Devices []device }](
		t,
		r.get(t, "/v1/devices?serial=%20"+strings.ToLower(serial), contosoKey),
		http.StatusOK,
	)
	if len(found.Devices) != 1 {
		t.Fatalf("%+v", found)
	}
	d := found.Devices[0]
	want := device{
		ID:           d.ID,
		SerialNumber: serial,
		Manufacturer: "Fabrikam, Inc.",
		Model:        "Fabrikam Station 900",
		State:        "collected",
		MatchedBy:    "tpm_ek",
		TPM20:        true,
	}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Error(diff)
	}
	w := r.get(t, "/v1/devices/"+d.ID, contosoKey)
	if diff := cmp.Diff(want, answer[device](t, w, http.StatusOK)); diff != "" {
		t.Error(diff)
	}
	if r.get(
		t,
		"/v1/devices/"+d.ID,
		contosoKey,
		"If-None-Match",
		w.Header().Get("ETag"),
	).Code != http.StatusNotModified {
		t.Error("the tag of a device does not hold")
	}
	line := answer[struct{ Transitions []struct{ To, By string } }](
		t,
		r.get(t, "/v1/devices/"+d.ID+"/timeline", contosoKey),
		http.StatusOK,
	)
	if len(line.Transitions) != 1 || line.Transitions[0].To != "collected" {
		t.Errorf("%+v", line)
	}
	if got := answer[struct{ Devices []device }](t, r.get(t, "/v1/devices?serial=none", contosoKey), http.StatusOK); got.Devices == nil ||
		len(got.Devices) != 0 {
		t.Errorf("want an empty list, got %+v", got)
	}
	refused(t, r.get(t, "/v1/devices", contosoKey), http.StatusBadRequest, fault.RequestInvalid)
}

type deadLetterPage struct {
	DeadLetters []struct {
		ID, Tenant, Device, Message, Subscription, State string
		Code                                             fault.Code
	}
	Next string
}

type replays struct {
	Results []struct {
		ID, Outcome, Device, Message, Detail string
		Code                                 fault.Code
	}
}

// dead makes n dead devices of contoso.
func (r *fixture) dead(t testing.TB, n uint64) {
	t.Helper()
	sent := answer[batch](
		t,
		r.upload(t, contosoKey, collectortest.File(t, collectortest.Seeds(1, n)...)),
		http.StatusAccepted,
	)
	for _, row := range answer[struct{ Rows []row }](t, r.get(t, sent.Links.Rows, contosoKey), http.StatusOK).Rows {
		r.kill(t, row.Device)
	}
}

func TestDeadLetters(t *testing.T) {
	t.Parallel()
	r := newFixture(t, httpapi.Config{})
	r.dead(t, 5)
	record := ledger.DeadLetter{
		Message:      "m-1",
		Subscription: "importer",
		Type:         "devices.collected.v1",
		Code:         fault.MessageMalformed,
		Attempts:     1,
		At:           start,
	}
	if err := r.ledger.RecordDeadLetter(t.Context(), record); err != nil {
		t.Fatal(err)
	}
	list := func(key, query string) deadLetterPage {
		return answer[deadLetterPage](t, r.get(t, "/v1/dead-letters"+query, key), http.StatusOK)
	}
	for key, want := range map[string]int{contosoOps: 5, fabrikamOps: 0, globalKey: 6} {
		if got := len(list(key, "").DeadLetters); got != want {
			t.Errorf("%s sees %d dead letters, want %d", key, got, want)
		}
	}
	if got := list(globalKey, "?code=message.malformed"); len(got.DeadLetters) != 1 ||
		got.DeadLetters[0].Message != "m-1" {
		t.Errorf("%+v", got)
	}
	seen := map[string]bool{}
	for path := "?limit=2"; path != ""; {
		page := list(contosoOps, path)
		for _, l := range page.DeadLetters {
			seen[l.ID] = true
		}
		_, query, more := strings.Cut(page.Next, "?")
		if path = ""; more {
			path = "?" + query
		}
	}
	if len(seen) != 5 {
		t.Errorf("%d dead letters in pages", len(seen))
	}
	refused(t, r.get(t, "/v1/dead-letters?state=lost", contosoOps), http.StatusBadRequest, fault.RequestInvalid)
}

func TestReplayOfDevices(t *testing.T) {
	t.Parallel()
	r := newFixture(t, httpapi.Config{})
	r.dead(t, 2)
	open := answer[deadLetterPage](t, r.get(t, "/v1/dead-letters", contosoOps), http.StatusOK).DeadLetters
	replay := func(key string, ids ...string) replays {
		return answer[replays](
			t,
			r.post(t, "/v1/dead-letters/replay", key, map[string]any{"ids": ids, "reason": "fixed"}),
			http.StatusOK,
		)
	}
	foreign := replay(fabrikamOps, open[0].ID)
	if got := foreign.Results[0]; got.Outcome != "failed" || got.Code != fault.RequestNotFound {
		t.Errorf("another tenant's operator: %+v", got)
	}
	got := replay(contosoOps, open[0].ID, "unknown", open[0].ID).Results
	byID := map[string]string{}
	for _, result := range got {
		byID[result.ID] = strings.TrimSpace(fmt.Sprintf("%s %s", result.Outcome, result.Code))
	}
	if diff := cmp.Diff(map[string]string{open[0].ID: "replayed", "unknown": "failed request.not_found"}, byID); diff != "" {
		t.Error(diff)
	}
	again := replay(contosoOps, open[0].ID).Results[0]
	if again.Outcome != "failed" || again.Code != fault.DeviceNotReplayable {
		t.Errorf("a second time: %+v", again)
	}
	if entries, err := r.ledger.Entries(t.Context(), "contoso", 10); err != nil || len(entries) != 3 ||
		entries[0].Actor != "operator:ops" {
		t.Errorf("%+v %v", entries, err)
	}
	for name, body := range map[string]any{
		"no ids":          map[string]any{"ids": []string{}, "reason": "x"},
		"no reason":       map[string]any{"ids": []string{"a"}, "reason": " "},
		"too many":        map[string]any{"ids": strings.Split(strings.Repeat("a,b", 101), ","), "reason": ""},
		"a misspelt name": map[string]any{"id": "a", "reason": "x"},
	} {
		if w := r.post(t, "/v1/dead-letters/replay", contosoOps, body); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
}

// What became of messages: back under a new id, or not there.
func TestReplayOfMessages(t *testing.T) {
	t.Parallel()
	r := newFixture(t, httpapi.Config{})
	ids := []string{}
	for _, message := range []string{"m-1", "m-2"} {
		err := r.ledger.RecordDeadLetter(
			t.Context(),
			ledger.DeadLetter{
				Tenant:       "contoso",
				Message:      message,
				Subscription: "importer",
				Code:         fault.MessageExhausted,
				At:           start,
			},
		)
		if err != nil {
			t.Fatal(err)
		}
	}
	r.queue["importer/m-1"] = true
	for _, l := range answer[deadLetterPage](t, r.get(t, "/v1/dead-letters", contosoOps), http.StatusOK).DeadLetters {
		ids = append(ids, l.ID)
	}
	results := answer[replays](
		t,
		r.post(t, "/v1/dead-letters/replay", contosoOps, map[string]any{"ids": ids, "reason": "fixed"}),
		http.StatusOK,
	).Results
	if len(results) != 2 || results[0].Outcome != "replayed" || results[0].Message == "" ||
		results[0].Message == "m-1" {
		t.Errorf("%+v", results)
	}
	if results[1].Outcome != "failed" || results[1].Code != fault.RequestNotFound || results[1].Detail == "" {
		t.Errorf("%+v", results[1])
	}
}
