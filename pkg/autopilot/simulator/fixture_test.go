package simulator

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	contoso  = "11111111-1111-1111-1111-111111111111"
	fabrikam = "22222222-2222-2222-2222-222222222222"
	clientID = "33333333-3333-3333-3333-333333333333"
	secret   = "s3cret"

	importPath   = "/v1.0/" + imported + "/import"
	importedPath = "/v1.0/" + imported
	identityPath = "/v1.0/" + identities
)

// machine describes a made-up device for makeHash.
type machine struct {
	serial, manufacturer, model, ek, uuid string
	capture                               byte // differs from capture to capture
}

// makeHash builds a blob as oa3tool does, with the records the service reads.
func makeHash(m machine) string {
	var b bytes.Buffer
	b.WriteString("OA\x00\x00")
	record := func(kind uint16, value []byte) {
		_ = binary.Write(&b, binary.LittleEndian, kind)
		_ = binary.Write(&b, binary.LittleEndian, uint16(len(value)+4))
		b.Write(value)
	}
	first := make([]byte, 24)
	first[16] = m.capture
	record(1, first)
	if m.ek != "" {
		modulus := sha256.Sum256([]byte(m.ek))
		ek := bytes.Repeat(modulus[:], 8)
		sum := sha256.Sum256(ek)
		record(recEK, ek)
		record(recOfflineID, append([]byte{0, 0, 0, 0, 1, 0, 32, 0, 0, 0}, sum[:]...))
	}
	uuid := sha256.Sum256([]byte(m.uuid + m.serial + m.ek))
	record(recUUID, uuid[:16])
	for kind, v := range map[uint16]string{recSerial: m.serial, recManufacturer: m.manufacturer, recModel: m.model} {
		record(kind, append([]byte(v), 0))
	}
	blob := b.Bytes()
	binary.LittleEndian.PutUint16(blob[2:], uint16(len(blob)))
	sum := sha256.Sum256(blob)
	blob = append(append(blob, 'C', 'S', 36, 0), sum[:]...)
	return base64.StdEncoding.EncodeToString(append(blob, make([]byte, 3000-len(blob))...))
}

func pc(serial string) machine {
	return machine{serial: serial, manufacturer: "Contoso", model: "Pad 7", ek: "ek-" + serial}
}

// fixture is a simulator with a clock that only Advance moves, and a client.
type fixture struct {
	*testing.T
	s       *Server
	token   string
	through http.RoundTripper // nil is the simulator itself
}

// patient are delays that a test has to advance through.
func patient() Options {
	start := time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)
	return Options{
		Seed: 7, Now: func() time.Time { return start },
		Delays: Delays{
			Import:          seconds(30, 180),
			IdentityVisible: seconds(10, 60), DeviceVisible: seconds(10, 60), Tag: seconds(60, 60),
			Group: seconds(600, 900), ProfilePending: seconds(60, 60), ProfileAssign: seconds(300, 600),
			ProfileSync:    seconds(60, 60),
			IdentityDelete: seconds(600, 1800), Sync: seconds(20, 20), SyncFloor: seconds(600, 600),
		},
		Quirks: Quirks{VerifyChecksum: true},
	}
}

func newFixture(t *testing.T, o Options) *fixture {
	t.Helper()
	s := New(o)
	s.AddTenant(Tenant{ID: contoso, ClientID: clientID, ClientSecret: secret})
	s.AddTenant(Tenant{ID: fabrikam, ClientID: clientID, ClientSecret: secret})
	return (&fixture{T: t, s: s}).as(contoso)
}

// as is the same simulator seen by the app of another tenant.
func (r *fixture) as(tenantID string) *fixture {
	r.Helper()
	other := *r
	a := r.tokenRequest(tenantID, url.Values{
		"client_id": {clientID}, "client_secret": {secret}, "grant_type": {"client_credentials"}, "scope": {graphScope},
	})
	other.token, _ = a.body["access_token"].(string)
	if a.status != 200 || other.token == "" {
		r.Fatalf("no token: %d %v", a.status, a.body)
	}
	return &other
}

type answer struct {
	status int
	header http.Header
	body   map[string]any
	err    error
}

func (r *fixture) tokenRequest(tenantID string, form url.Values) answer {
	r.Helper()
	req, err := http.NewRequestWithContext(
		r.Context(),
		"POST",
		"http://sim/"+tenantID+"/oauth2/v2.0/token",
		strings.NewReader(form.Encode()),
	)
	if err != nil {
		r.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r.send(req)
}

// do sends a request; headers are pairs.
func (r *fixture) do(method, target string, body any, headers ...string) answer {
	r.Helper()
	var content io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		content = strings.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			r.Fatal(err)
		}
		content = bytes.NewReader(raw)
	}
	if !strings.HasPrefix(target, "http") {
		target = "http://sim" + target
	}
	req, err := http.NewRequestWithContext(r.Context(), method, target, content)
	if err != nil {
		r.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+r.token)
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return r.send(req)
}

func (r *fixture) send(req *http.Request) answer {
	r.Helper()
	through := r.through
	if through == nil {
		through = r.s.Transport()
	}
	resp, err := through.RoundTrip(req)
	if err != nil {
		return answer{err: err}
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	a := answer{status: resp.StatusCode, header: resp.Header, err: err}
	if err == nil && len(raw) > 0 && strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		a.err = json.Unmarshal(raw, &a.body)
	}
	return a
}

// must sends a request that has to be answered with a status.
func (r *fixture) must(status int, method, target string, body any, headers ...string) map[string]any {
	r.Helper()
	a := r.do(method, target, body, headers...)
	if a.err != nil || a.status != status {
		r.Fatalf("%s %s: want %d, got %d %v %v", method, target, status, a.status, a.body, a.err)
	}
	return a.body
}

// all follows next links and returns every row that was handed out.
func (r *fixture) all(target string, headers ...string) []map[string]any {
	r.Helper()
	var out []map[string]any
	seen := map[string]bool{}
	for target != "" {
		if seen[target] {
			r.Fatalf("next link repeats: %s", target)
		}
		seen[target] = true
		page := r.must(200, "GET", target, nil, headers...)
		for _, row := range page["value"].([]any) {
			out = append(out, row.(map[string]any))
		}
		target, _ = page["@odata.nextLink"].(string)
	}
	return out
}

type row = map[string]any

func deviceRow(m machine, importID string) row {
	return row{"serialNumber": m.serial, "hardwareIdentifier": makeHash(m), "importId": importID, "groupTag": "KIOSK"}
}

func importBody(rows ...row) row { return row{"importedWindowsAutopilotDeviceIdentities": rows} }

// register imports devices and waits until they are readable.
func (r *fixture) register(importID string, machines ...machine) {
	r.Helper()
	var rows []row
	for _, m := range machines {
		rows = append(rows, deviceRow(m, importID))
	}
	r.must(200, "POST", importPath, importBody(rows...))
	r.s.Advance(10 * time.Minute)
}

// outcomes are status, code and name of the records of an import, by serial.
func (r *fixture) outcomes(importID string) map[string]string {
	r.Helper()
	out := map[string]string{}
	for _, rec := range r.all(importedPath + "?$filter=" + url.QueryEscape("importId eq '"+importID+"'")) {
		st := rec["state"].(map[string]any)
		name := st["deviceErrorName"].(string)
		out[rec["serialNumber"].(string)] = strings.TrimSuffix(st["deviceImportStatus"].(string)+" "+name, " ")
	}
	return out
}

func (r *fixture) state(tenantID string) State {
	r.Helper()
	st, err := r.s.State(tenantID)
	if err != nil {
		r.Fatal(err)
	}
	return st
}

func (r *fixture) fault(f Fault) {
	r.Helper()
	if _, err := r.s.AddFault(f); err != nil {
		r.Fatal(err)
	}
}

func (a answer) code() string {
	e, _ := a.body["error"].(map[string]any)
	c, _ := e["code"].(string)
	return c
}

func wantErr(t *testing.T, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Fatalf("want %v, got %v", target, err)
	}
}
