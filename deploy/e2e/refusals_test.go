package e2e

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"taxiway.example/cmd/demofile"
	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/fault"
)

const listHeader = "Device Serial Number,Windows Product ID,Hardware Hash,Group Tag\r\n"

// maxUpload is the limit of a body in these tests, in bytes.
const maxUpload = 64 << 10

// refusal is a request that is not granted.
type refusal struct {
	name         string
	key          string // default that of the tenant
	method, path string // default POST /v1/batches
	contentType  string // default text/csv
	body         string
	idempotency  string

	status int
	code   fault.Code
	column string // of the first error; "" for no errors
	batch  bool   // the problem names a batch: something was taken in before
}

func refusals(t *testing.T, file *demofile.File) []refusal {
	t.Helper()
	rows := sheetOf(t, file)
	const broken = 5 // the row whose checksum does not hold
	jsonType := "application/json"
	return []refusal{
		{name: "no key", key: "-", body: listHeader, status: http.StatusUnauthorized, code: fault.RequestUnauthenticated},
		{name: "a key of nobody", key: "key-99", body: listHeader, status: http.StatusUnauthorized, code: fault.RequestUnauthenticated},
		{name: "no header", body: "1,2,3\r\n4,5,6\r\n", status: http.StatusUnprocessableEntity, code: fault.FileNoHeader},
		{name: "header without a hash column", body: "Device Serial Number,Model\r\nA,B\r\n", status: http.StatusUnprocessableEntity, code: fault.FileNoHeader, column: "Hardware Hash"},
		{name: "no rows", body: listHeader, status: http.StatusUnprocessableEntity, code: fault.FileEmpty},
		{name: "no body", status: http.StatusUnprocessableEntity, code: fault.FileEmpty},
		{name: "a ZIP file", body: "PK\x03\x04\x14\x00\x06\x00\x08\x00", status: http.StatusUnprocessableEntity, code: fault.FileNotCSV},
		{name: "a body over the limit", body: string(file.CSV) + strings.Repeat("x", maxUpload), status: http.StatusRequestEntityTooLarge, code: fault.RequestTooLarge, batch: true},
		{name: "another media type", contentType: "application/pdf", body: "%PDF", status: http.StatusUnsupportedMediaType, code: fault.RequestUnsupported},
		{name: "the key of another upload", idempotency: "file-1", body: listHeader + "X,,Y,Z\r\n", status: http.StatusUnprocessableEntity, code: fault.RequestConflict},
		{name: "a method nobody knows", method: http.MethodDelete, status: http.StatusMethodNotAllowed, code: fault.RequestMethod},
		{name: "a path nobody knows", method: http.MethodGet, path: "/v1/nothing", status: http.StatusNotFound, code: fault.RequestNotFound},
		{name: "an unknown batch", method: http.MethodGet, path: "/v1/batches/0190a6f0-0000-7000-8000-000000000000", status: http.StatusNotFound, code: fault.RequestNotFound},
		{name: "JSON that is none", path: "/v1/devices", contentType: jsonType, body: "{", status: http.StatusBadRequest, code: fault.RequestInvalid},
		{name: "JSON with a name misspelt", path: "/v1/devices", contentType: jsonType, body: `{"hardwarehash2":""}`, status: http.StatusBadRequest, code: fault.RequestInvalid},
		{
			name: "a device with a broken hash", path: "/v1/devices", contentType: jsonType,
			body: `{"hardwareHash":"` + rows.hash(broken) + `"}`, status: http.StatusUnprocessableEntity,
			code:   fault.HashChecksumMismatch,
			column: "hardwareHash", batch: true,
		},
	}
}

// Everything that is refused is refused as a problem (RFC 9457) with a stable code, and says where.
func TestRefusals(t *testing.T) {
	t.Parallel()
	file := demo(t, demofile.MinRows)
	w := newFixture(t, simulator.Fast(), 1, nil)
	c := w.config(t, turn(0).open(t))
	c.Collector.Limits.MaxBody = maxUpload
	p := start(t, c)
	p.submit(t, 1, file.CSV)
	for _, r := range refusals(t, file) {
		t.Run(strings.ReplaceAll(r.name, " ", "-"), func(t *testing.T) { r.check(t, p.as(1)) })
	}
	p.keepsQuiet(t, file)
}

func (r refusal) check(t *testing.T, c Client) {
	t.Helper()
	if r.key != "" {
		c.Key = strings.Trim(r.key, "-")
	}
	or := func(given, otherwise string) string {
		if given == "" {
			return otherwise
		}
		return given
	}
	method := or(r.method, http.MethodPost)
	path := or(r.path, "/v1/batches")
	err := c.call(t.Context(), method, path, or(r.contentType, "text/csv"), r.idempotency, []byte(r.body), nil)
	p, ok := errors.AsType[*Problem](err)
	if !ok {
		t.Fatalf("got %v, want a problem", err)
	}
	if p.Status != r.status || p.Code != string(r.code) {
		t.Errorf("got %d %s, want %d %s", p.Status, p.Code, r.status, r.code)
	}
	if p.ContentType != "application/problem+json" || !strings.HasSuffix(p.Type, "/"+p.Code) || p.Title == "" {
		t.Errorf("no whole problem: %+v", p)
	}
	column := ""
	if len(p.Errors) > 0 {
		column = p.Errors[0].Column
	}
	if column != r.column {
		t.Errorf("the problem points to column %q, want %q", column, r.column)
	}
	if (p.Batch != "") != r.batch {
		t.Errorf("the problem names batch %q", p.Batch)
	}
}

// answers is what becomes of each row: outcome, column, code.
var answers = map[int]string{
	1:  "accepted",
	2:  "duplicate row.duplicate_in_file",
	3:  "accepted",
	4:  "duplicate row.duplicate_in_file", // a later capture, which replaces the first
	5:  "rejected hardwareHash hash.checksum_mismatch",
	6:  "rejected hardwareHash hash.truncated",
	7:  "rejected serialNumber row.serial_mismatch",
	8:  "rejected hardwareHash device.no_identity",
	9:  "accepted", // registered by another tenant, which nobody here can know
	10: "accepted", // registered here
	11: "accepted",
	12: "accepted",
	13: "conflict device.conflict_ek",
	14: "rejected hardwareHash row.hash_missing",
	15: "rejected hardwareHash hash.not_base64",
	16: "rejected groupTag row.group_tag_invalid",
	17: "rejected row.malformed",
	18: "rejected row.malformed",
}

// A row that is refused says where and why, and costs its neighbours nothing.
func TestBadRowsCostNoNeighbour(t *testing.T) {
	t.Parallel()
	file := contradicted(t, demo(t, demofile.MinRows))
	rows := sheetOf(t, file)
	good := rows.hash(1)
	more := []string{
		"NO-HASH-1,,,KIOSK", "NOT-BASE64-1,,this*is*no*hash,KIOSK",
		rows.serial(1) + ",," + good + "," + strings.Repeat("x", 600),
		"TOO,MANY,CELLS,IN,THIS,ROW", `QUOTE-1,,"unclosed,KIOSK`,
	}
	file.CSV = append(bytes.Clone(file.CSV), strings.Join(more, "\r\n")...)
	w := newFixture(t, simulator.Fast(), 1, nil)
	w.plant(t, file)
	p := start(t, w.config(t, turn(1).open(t)))
	b := p.submit(t, 1, file.CSV)
	p.finished(t, b)
	got := map[int]string{}
	for _, r := range b.rows(t) {
		got[r.Row] = strings.Join(strings.Fields(r.Outcome+" "+r.Column+" "+r.Code), " ")
		if r.Outcome == "accepted" && r.State != "ready" && r.Row != 9 {
			t.Errorf("row %d is accepted, and its device %s", r.Row, r.State)
		}
	}
	if diff := cmp.Diff(answers, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	p.keepsQuiet(t, demo(t, demofile.MinRows))
}
