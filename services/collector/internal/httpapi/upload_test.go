package httpapi_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/hwhash"
	"taxiway.example/services/collector/internal/collectortest"
	"taxiway.example/services/collector/internal/httpapi"
)

func zipped(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestUpload(t *testing.T) {
	t.Parallel()
	r := newFixture(t, httpapi.Config{})
	serial, wire := collectortest.Device(t, 1, nil)
	text := collectortest.Header + serial + ",," + wire + ",,\r\n" + serial + ",," + wire + ",,\r\nOTHER,," + wire + ",,\r\n"
	w := r.upload(t, contosoKey, text)
	b := answer[batch](t, w, http.StatusAccepted)
	if want := map[string]int{"accepted": 1, "updated": 0, "duplicate": 1, "conflict": 0, "rejected": 1}; !cmp.Equal(want, b.Outcomes) ||
		b.Rows != 3 ||
		b.State != "complete" {
		t.Errorf("%+v", b)
	}
	if w.Header().Get("Location") != b.Links.Self || w.Header().Get("Retry-After") == "" {
		t.Errorf("%v", w.Header())
	}
	if len(b.Problems) != 1 || b.Problems[0].Row != 3 || b.Problems[0].Code != fault.RowSerialMismatch ||
		b.Problems[0].Column != "serialNumber" ||
		b.MoreProblems != 0 {
		t.Errorf("%+v and %d more", b.Problems, b.MoreProblems)
	}
}

// Duplicates are counted and do not hide what somebody has to look at; and a receipt says the same when it is asked for
// again.
func TestReceiptsNameFailures(t *testing.T) {
	t.Parallel()
	r := newFixture(t, httpapi.Config{})
	r.upload(t, contosoKey, collectortest.File(t, collectortest.Seeds(1, 10)...))
	other := hwhash.Synthetic(4)
	serial, swapped := collectortest.Device(t, 1, func(r *hwhash.Report) {
		r.EK = other.EK
		r.OfflineID = other.OfflineID
		r.UUID = other.UUID
	})
	text := collectortest.File(t, collectortest.Seeds(1, 10)...) + serial + ",," + swapped + ",,\r\nS,,,,\r\nS,,,,\r\n"
	first := answer[batch](t, r.upload(t, contosoKey, text, "Idempotency-Key", "k"), http.StatusAccepted)
	again := answer[batch](t, r.upload(t, contosoKey, text, "Idempotency-Key", "k"), http.StatusAccepted)
	if first.Repeated || !again.Repeated {
		t.Errorf("repeated: %t, %t", first.Repeated, again.Repeated)
	}
	for name, b := range map[string]batch{"at first": first, "repeated": again} {
		got := []string{}
		for _, p := range b.Problems {
			got = append(got, fmt.Sprint(p.Row, " ", p.Outcome))
		}
		if diff := cmp.Diff([]string{"11 conflict", "12 rejected", "13 rejected"}, got); diff != "" ||
			b.MoreProblems != 0 ||
			b.Outcomes["duplicate"] != 10 {
			t.Errorf("%s: %s, %d more, %v", name, diff, b.MoreProblems, b.Outcomes)
		}
	}
	if diff := cmp.Diff(first.Problems, again.Problems); diff != "" {
		t.Error(diff)
	}
}

func TestRepeatedReceiptIsCapped(t *testing.T) {
	t.Parallel()
	r := newFixture(t, httpapi.Config{})
	text := collectortest.Header + strings.Repeat("S,,,,\r\n", 130)
	r.upload(t, contosoKey, text, "Idempotency-Key", "k")
	b := answer[batch](t, r.upload(t, contosoKey, text, "Idempotency-Key", "k"), http.StatusAccepted)
	if !b.Repeated || len(b.Problems) != 100 || b.MoreProblems != 30 || b.Problems[99].Row != 100 {
		t.Errorf("%d problems, %d more", len(b.Problems), b.MoreProblems)
	}
}

func TestUploadProblemsAreCapped(t *testing.T) {
	t.Parallel()
	r := newFixture(t, httpapi.Config{})
	b := answer[batch](
		t,
		r.upload(t, contosoKey, collectortest.Header+strings.Repeat("S,,,,\r\n", 12)),
		http.StatusAccepted,
	)
	if len(b.Problems) != 5 || b.MoreProblems != 7 || b.Outcomes["rejected"] != 12 {
		t.Errorf("%d problems, %d more, %v", len(b.Problems), b.MoreProblems, b.Outcomes)
	}
}

func TestUploadParameters(t *testing.T) {
	t.Parallel()
	r := newFixture(t, httpapi.Config{})
	send := func(query string) *problem {
		w := r.call(
			t,
			http.MethodPost,
			"/v1/batches?"+query,
			contosoKey,
			strings.NewReader(collectortest.File(t, 1)),
			"Content-Type",
			"text/csv",
		)
		if w.Code == http.StatusAccepted {
			return nil
		}
		p := answer[problem](t, w, w.Code)
		return &p
	}
	if p := send("name=October&groupTag=Kiosk"); p != nil {
		t.Errorf("%+v", p)
	}
	serial, _ := collectortest.Device(t, 1, nil)
	found := answer[struct{ Devices []struct{ GroupTag string } }](
		t,
		r.get(t, "/v1/devices?serial="+serial, contosoKey),
		http.StatusOK,
	)
	if len(found.Devices) != 1 || found.Devices[0].GroupTag != "Kiosk" {
		t.Errorf("%+v", found)
	}
	for _, query := range []string{"name=" + strings.Repeat("x", 300), "groupTag=a%00b"} {
		if p := send(query); p == nil || p.Code != fault.RequestInvalid {
			t.Errorf("%.20s: %+v", query, p)
		}
	}
}

func TestUploadsThatAreRefused(t *testing.T) {
	t.Parallel()
	r := newFixture(t, httpapi.Config{MaxBody: 64 << 10, MaxRows: 12})
	bomb := zipped(t, collectortest.Header+strings.Repeat("0", 3<<20))
	cases := []struct {
		name, text string
		headers    []string
		status     int
		code       fault.Code
		says       string
	}{
		{name: "nothing", status: 422, code: fault.FileEmpty},
		{name: "a header alone", text: collectortest.Header, status: 422, code: fault.FileEmpty},
		{name: "no header", text: "a,b,c\n", status: 422, code: fault.FileNoHeader},
		{name: "a workbook", text: "PK\x03\x04xxxx", status: 422, code: fault.FileNotCSV, says: "xlsx"},
		{name: "gzip without saying so", text: zipped(t, collectortest.File(t, 1)), status: 422, code: fault.FileNotCSV, says: "Content-Encoding"},
		{name: "saying gzip without being so", text: collectortest.File(t, 1), headers: []string{"Content-Encoding", "gzip"}, status: 400, code: fault.RequestInvalid},
		{name: "half a gzip", text: zipped(t, collectortest.File(t, 1, 2, 3))[:1500], headers: []string{"Content-Encoding", "gzip"}, status: 400, code: fault.RequestTruncated},
		{name: "a gzip bomb", text: bomb, headers: []string{"Content-Encoding", "gzip"}, status: 422, code: fault.FileRecordTooLong},
		{name: "brotli", text: collectortest.File(t, 1), headers: []string{"Content-Encoding", "br"}, status: 415, code: fault.RequestUnsupported},
		{name: "a form", text: collectortest.File(t, 1), headers: []string{"Content-Type", "application/x-www-form-urlencoded"}, status: 415, code: fault.RequestUnsupported},
		{name: "a key with a line break", text: collectortest.File(t, 1), headers: []string{"Idempotency-Key", "a\tb"}, status: 400, code: fault.RequestInvalid},
		{name: "too large", text: collectortest.File(t, collectortest.Seeds(1, 11)...) + strings.Repeat("x", 30<<10), status: 413, code: fault.RequestTooLarge, says: "65536"},
		{name: "too many rows", text: collectortest.File(t, collectortest.Seeds(1, 13)...), status: 413, code: fault.FileTooManyRows},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p := refused(t, r.upload(t, contosoKey, tc.text, tc.headers...), tc.status, tc.code)
			if !strings.Contains(p.Detail, tc.says) {
				t.Errorf("detail: %s", p.Detail)
			}
			if p.Type != "https://taxiway.example/errors/"+string(tc.code) || p.Title == "" ||
				!strings.HasPrefix(p.Instance, "urn:uuid:") {
				t.Errorf("%+v", p)
			}
		})
	}
}

// A bomb of short lines is caught by its ratio, whatever its size may be.
func TestGzipBombOfLines(t *testing.T) {
	t.Parallel()
	blank := strings.Repeat(" ", 1000) + "\r\n"
	r := newFixture(t, httpapi.Config{MaxRatio: 50})
	p := refused(
		t,
		r.upload(
			t,
			contosoKey,
			zipped(t, collectortest.Header+strings.Repeat(blank, 9000)),
			"Content-Encoding",
			"gzip",
		),
		http.StatusRequestEntityTooLarge,
		fault.RequestTooLarge,
	)
	if !strings.Contains(p.Detail, "50 times") {
		t.Error(p.Detail)
	}
	r = newFixture(t, httpapi.Config{MaxInflated: 1 << 20})
	refused(
		t,
		r.upload(
			t,
			contosoKey,
			zipped(t, collectortest.Header+strings.Repeat(blank, 2000)),
			"Content-Encoding",
			"gzip",
		),
		http.StatusRequestEntityTooLarge,
		fault.RequestTooLarge,
	)
}

func TestHeaderProblemsComeAllAtOnce(t *testing.T) {
	t.Parallel()
	r := newFixture(t, httpapi.Config{})
	p := refused(
		t,
		r.upload(t, contosoKey, "title\nHardware Hash,Group Tag,Order ID\nx,y,z\n"),
		http.StatusUnprocessableEntity,
		fault.FileNoHeader,
	)
	if len(p.Errors) != 2 || p.Errors[0].Line != 2 || p.Errors[0].Column != "Device Serial Number" ||
		p.Errors[1].Column != "Group Tag" {
		t.Errorf("%+v", p.Errors)
	}
}

// The file breaks in the middle: the problem names the batch, and the rows before stand.
func TestFileThatBreaksNamesItsBatch(t *testing.T) {
	t.Parallel()
	r := newFixture(t, httpapi.Config{})
	w := r.upload(
		t,
		contosoKey,
		collectortest.File(
			t,
			collectortest.Seeds(1, 25)...)+strings.Join(
			strings.Split("the rest is UTF-16,", ""),
			"\x00",
		),
	)
	p := refused(t, w, http.StatusUnprocessableEntity, fault.FileEncoding)
	if p.Batch == "" || w.Header().Get("Location") != "/v1/batches/"+p.Batch {
		t.Fatalf("%+v %v", p, w.Header())
	}
	b := answer[batch](t, r.get(t, "/v1/batches/"+p.Batch, contosoKey), http.StatusOK)
	if b.State != "failed" || b.Outcomes["accepted"] != 25 {
		t.Errorf("%+v", b)
	}
}

func TestGzipUpload(t *testing.T) {
	t.Parallel()
	r := newFixture(t, httpapi.Config{})
	b := answer[batch](
		t,
		r.upload(
			t,
			contosoKey,
			zipped(t, collectortest.File(t, collectortest.Seeds(1, 30)...)),
			"Content-Encoding",
			"gzip",
		),
		http.StatusAccepted,
	)
	if b.Outcomes["accepted"] != 30 {
		t.Errorf("%+v", b)
	}
}

// The key makes an upload repeatable, quoted or bare, plain or compressed, and only for its own tenant.
func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	r := newFixture(t, httpapi.Config{})
	text := collectortest.File(t, 1, 2, 3)
	first := answer[batch](t, r.upload(t, contosoKey, text, "Idempotency-Key", `"order 4711"`), http.StatusAccepted)
	for name, again := range map[string]batch{
		"bare":       answer[batch](t, r.upload(t, contosoKey, text, "Idempotency-Key", "order 4711"), http.StatusAccepted),
		"compressed": answer[batch](t, r.upload(t, contosoKey, zipped(t, text), "Idempotency-Key", "order 4711", "Content-Encoding", "gzip"), http.StatusAccepted),
	} {
		if again.ID != first.ID || !again.Repeated || again.Rows != 3 || again.Outcomes["accepted"] != 3 {
			t.Errorf("%s: %+v", name, again)
		}
	}
	refused(
		t,
		r.upload(t, contosoKey, collectortest.File(t, 1, 2), "Idempotency-Key", "order 4711"),
		http.StatusUnprocessableEntity,
		fault.RequestConflict,
	)
	other := answer[batch](t, r.upload(t, fabrikamKey, text, "Idempotency-Key", "order 4711"), http.StatusAccepted)
	if other.ID == first.ID || other.Repeated || other.Outcomes["accepted"] != 3 {
		t.Errorf("another tenant: %+v", other)
	}
}

func TestPostDevice(t *testing.T) {
	t.Parallel()
	r := newFixture(t, httpapi.Config{})
	serial, wire := collectortest.Device(t, 1, nil)
	body := map[string]string{
		"hardwareHash": wire,
		"serialNumber": serial,
		"groupTag":     "Kiosk",
		"assignedUser": "ada@contoso.com",
	}
	w := r.post(t, "/v1/devices", contosoKey, body)
	fresh := answer[row](t, w, http.StatusAccepted)
	if fresh.Outcome != "accepted" || fresh.State != "collected" ||
		w.Header().Get("Location") != "/v1/devices/"+fresh.Device {
		t.Errorf("%+v %v", fresh, w.Header())
	}
	again := answer[row](t, r.post(t, "/v1/devices", contosoKey, body), http.StatusOK)
	if again.Outcome != "duplicate" || again.Device != fresh.Device || again.Code != fault.DeviceDuplicate {
		t.Errorf("%+v", again)
	}
	other := hwhash.Synthetic(4)
	_, swapped := collectortest.Device(t, 1, func(r *hwhash.Report) {
		r.EK = other.EK
		r.OfflineID = other.OfflineID
		r.UUID = other.UUID
	})
	conflict := refused(
		t,
		r.post(t, "/v1/devices", contosoKey, map[string]string{"hardwareHash": swapped}),
		http.StatusConflict,
		fault.DeviceConflictEK,
	)
	if conflict.Device == "" || conflict.Device == fresh.Device {
		t.Errorf("%+v", conflict)
	}
	held := answer[struct {
		State    string
		Conflict bool
	}](t, r.get(t, "/v1/devices/"+conflict.Device, contosoKey), http.StatusOK)
	if held.State != "held" || !held.Conflict {
		t.Errorf("%+v", held)
	}
}

func TestDevicesThatAreRefused(t *testing.T) {
	t.Parallel()
	r := newFixture(t, httpapi.Config{})
	_, wire := collectortest.Device(t, 1, nil)
	cases := []struct {
		name, body string
		headers    []string
		status     int
		code       fault.Code
		column     string
	}{
		{name: "no JSON", body: "hello", status: 400, code: fault.RequestInvalid},
		{name: "nothing", body: "", status: 400, code: fault.RequestInvalid},
		{name: "a list", body: "[]", status: 400, code: fault.RequestInvalid},
		{name: "a misspelt name", body: `{"hardwareHash":"` + wire + `","groupTagg":"Kiosk"}`, status: 400, code: fault.RequestInvalid},
		{name: "a number", body: `{"hardwareHash":"` + wire + `","serialNumber":1230000000456}`, status: 400, code: fault.RequestInvalid},
		{name: "two objects", body: `{"hardwareHash":"` + wire + `"}{}`, status: 400, code: fault.RequestInvalid},
		{name: "half an object", body: `{"hardwareHash":"` + wire[:100], status: 400, code: fault.RequestInvalid},
		{name: "too large", body: `{"hardwareHash":"` + strings.Repeat("A", 70<<10) + `"}`, status: 413, code: fault.RequestTooLarge},
		{name: "CSV", body: collectortest.File(t, 1), headers: []string{"Content-Type", "text/csv"}, status: 415, code: fault.RequestUnsupported},
		{name: "no hash", body: `{"serialNumber":"x"}`, status: 422, code: fault.RowHashMissing, column: "hardwareHash"},
		{name: "a cut hash", body: `{"hardwareHash":"` + wire[:800] + `"}`, status: 422, code: fault.HashTruncated, column: "hardwareHash"},
		{name: "another serial", body: `{"hardwareHash":"` + wire + `","serialNumber":"ZQX-1"}`, status: 422, code: fault.RowSerialMismatch, column: "serialNumber"},
		{name: "a bad tag", body: `{"hardwareHash":"` + wire + `","groupTag":" ZQX"}`, status: 422, code: fault.RowGroupTagInvalid, column: "groupTag"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			headers := append([]string{"Content-Type", "application/json"}, tc.headers...)
			w := r.call(t, http.MethodPost, "/v1/devices", contosoKey, strings.NewReader(tc.body), headers...)
			p := refused(t, w, tc.status, tc.code)
			if tc.column != "" && (len(p.Errors) != 1 || p.Errors[0].Column != tc.column || p.Errors[0].Row != 1) {
				t.Errorf("%+v", p.Errors)
			}
			if strings.Contains(w.Body.String(), "ZQX") || strings.Contains(w.Body.String(), wire[100:140]) {
				t.Errorf("a value shows: %s", w.Body)
			}
		})
	}
}

// Neither log nor problem shows a serial, a hash, a key or a user.
func TestNothingSecretIsLogged(t *testing.T) {
	t.Parallel()
	r := newFixture(t, httpapi.Config{})
	serial, wire := collectortest.Device(t, 1, nil)
	r.upload(
		t,
		contosoKey,
		collectortest.Header+fmt.Sprintf(
			"%s,3305321234567,%s,,ada.lovelace@contoso.com\r\nZQX-1,,%s,,\r\n",
			serial,
			wire,
			wire,
		),
	)
	r.get(t, "/v1/devices?serial="+serial, contosoKey)
	r.post(t, "/v1/devices", contosoKey, map[string]string{"hardwareHash": wire, "serialNumber": "ZQX-2"})
	log := r.log.String()
	if strings.Count(log, "msg=request") != 3 {
		t.Errorf("want three records:\n%.2000s", log)
	}
	for _, secret := range []string{serial, "ZQX", wire[100:140], "3305321234567", "ada.lovelace", contosoKey} {
		if strings.Contains(log, secret) {
			t.Errorf("the log holds %.40q", secret)
		}
	}
}
