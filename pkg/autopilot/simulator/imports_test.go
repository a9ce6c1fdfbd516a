package simulator

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestImportRefusals(t *testing.T) {
	o := patient()
	o.MaxImport = 3
	r := newFixture(t, o)
	hash := makeHash(pc("A"))
	many := make([]row, 4)
	for i := range many {
		many[i] = deviceRow(pc(fmt.Sprint("M", i)), "i")
	}
	for _, tc := range []struct {
		name  string
		body  any
		says  string
		front bool // answered by Graph's front, not by the back end
	}{
		{"padding missing", importBody(row{"hardwareIdentifier": "QUI"}), "Edm.Binary", false},
		{"line break", importBody(row{"hardwareIdentifier": hash[:76] + "\r\n" + hash[76:]}), "Edm.Binary", false},
		{"wrong alphabet", importBody(row{"hardwareIdentifier": "-_-_"}), "Edm.Binary", false},
		{"number", importBody(row{"serialNumber": 7}), "serialNumber", true},
		{"old name", importBody(row{"orderIdentifier": "x"}), "orderIdentifier", true},
		{"case of a name", importBody(row{"SerialNumber": "x"}), "SerialNumber", true},
		{"unknown state member", importBody(row{"state": row{"x": 1}}), "'x'", true},
		{"wrong envelope", row{"devices": []row{}}, "devices", true},
		{"not a list", row{"importedWindowsAutopilotDeviceIdentities": row{}}, "StartArray", true},
		{"empty", importBody(), "no devices", false},
		{"too many", importBody(many...), "exceeds", false},
		{"no JSON", "{", "JSON", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := r.do("POST", importPath, tc.body)
			message := fmt.Sprint(a.body["error"].(row)["message"])
			if a.status != 400 || a.code() != "BadRequest" || !strings.Contains(message, tc.says) ||
				strings.Contains(message, "_version") == tc.front {
				t.Errorf("%d %v", a.status, a.body)
			}
		})
	}
	if st := r.state(contoso); len(st.Imported) != 0 {
		t.Errorf("refused, yet applied: %v", st.Imported)
	}
}

func TestBodyTooLarge(t *testing.T) {
	o := patient()
	o.MaxBody = 1000
	r := newFixture(t, o)
	r.must(413, "POST", importPath, importBody(deviceRow(pc("A"), "i")))
}

func TestImportOutcomes(t *testing.T) {
	r := newFixture(t, patient())
	taken := pc("TAKEN")
	foreign := pc("FOREIGN")
	for _, err := range []error{
		r.s.SeedOwnedByOther(Hardware{Hash: makeHash(foreign)}),
		r.s.SeedOwnedByOther(Hardware{Serial: "foreign-by-serial"}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.s.SeedRegistered(contoso, Registered{Hardware: Hardware{Hash: makeHash(taken)}}); err != nil {
		t.Fatal(err)
	}
	blob, _ := base64.StdEncoding.DecodeString(makeHash(pc("BROKEN")))
	broken := append([]byte{}, blob...)
	broken[40] ^= 1
	recaptured := taken
	recaptured.capture = 99
	noMaker := pc("NOMAKER")
	noMaker.manufacturer = ""
	encoded := base64.StdEncoding.EncodeToString
	rows := []row{
		deviceRow(pc("GOOD"), "o"),
		deviceRow(recaptured, "o"), deviceRow(foreign, "o"), deviceRow(pc("FOREIGN-BY-SERIAL"),
			"o"), deviceRow(noMaker, "o"),
		{"importId": "o", "serialNumber": "BROKEN", "hardwareIdentifier": encoded(broken)},
		{"importId": "o", "serialNumber": "CUT", "hardwareIdentifier": encoded(blob[:60])},
		{"importId": "o", "serialNumber": "NOISE", "hardwareIdentifier": encoded([]byte("noise"))},
		{"importId": "o", "serialNumber": "TUPLE"},
		{"importId": "o", "serialNumber": "", "hardwareIdentifier": makeHash(pc("X"))},
	}
	r.must(200, "POST", importPath, importBody(rows...))
	r.s.Advance(3 * time.Minute)
	want := map[string]string{
		"GOOD": "complete None", "TAKEN": "error ZtdDeviceAlreadyAssigned", "FOREIGN": "error ZtdDeviceAssignedToOtherTenant",
		"FOREIGN-BY-SERIAL": "error ZtdDeviceAssignedToOtherTenant",
		"NOMAKER":           "error InvalidZtdHardwareHash", "BROKEN": "error InvalidZtdHardwareHash",
		"CUT":   "error InvalidZtdHardwareHash",
		"NOISE": "error InvalidZtdHardwareHash", "TUPLE": "error ZtdDeviceNotFound",
		"": "error MissingZtdSerialNumberAndProductKey",
	}
	if diff := cmp.Diff(want, r.outcomes("o")); diff != "" {
		t.Error(diff)
	}
	codes := map[string]int{}
	for _, rec := range r.state(contoso).Imported {
		codes[rec.Name] = rec.Code
	}
	if diff := cmp.Diff(map[string]int{
		"None": 0, "ZtdDeviceAlreadyAssigned": 806, "ZtdDeviceAssignedToOtherTenant": 808, "InvalidZtdHardwareHash": 802,
		"ZtdDeviceNotFound": 812, "MissingZtdSerialNumberAndProductKey": 803,
	}, codes); diff != "" {
		t.Error(diff)
	}
}

// The same device twice in one call: one is processed, the other is a duplicate.
func TestTwins(t *testing.T) {
	o := patient()
	o.Quirks.DuplicateCode = 801
	r := newFixture(t, o)
	again := pc("T")
	again.capture = 5
	r.must(200, "POST", importPath, importBody(deviceRow(pc("T"), "t"), deviceRow(again, "t")))
	r.s.Advance(10 * time.Minute)
	got := map[string]int{}
	for _, rec := range r.state(contoso).Imported {
		got[rec.Name] = rec.Code
	}
	if diff := cmp.Diff(map[string]int{"None": 0, "ZtdDeviceDuplicated": 801}, got); diff != "" {
		t.Error(diff)
	}
}

func TestSinglePostEchoesItsID(t *testing.T) {
	r := newFixture(t, patient())
	m := deviceRow(pc("S"), "")
	delete(m, "importId")
	m["state"] = row{"@odata.type": importedType + "State", "deviceImportStatus": "complete"}
	got := r.must(201, "POST", importedPath, m)
	if got["importId"] != got["id"] || got["productKey"] != got["id"] || got["hardwareIdentifier"] != nil ||
		got["state"].(row)["deviceImportStatus"] != "unknown" {
		t.Errorf("%v", got)
	}
}

// The answer to an import does not keep the order of the request.
func TestImportAnswersShuffled(t *testing.T) {
	r := newFixture(t, patient())
	var rows []row
	var sent, got []string
	for i := range 20 {
		sent = append(sent, fmt.Sprint("N", i))
		rows = append(rows, deviceRow(pc(sent[i]), "n"))
	}
	for _, v := range r.must(200, "POST", importPath, importBody(rows...))["value"].([]any) {
		got = append(got, v.(row)["serialNumber"].(string))
	}
	if cmp.Equal(sent, got) {
		t.Error("in order")
	}
	slices.Sort(sent)
	slices.Sort(got)
	if diff := cmp.Diff(sent, got); diff != "" {
		t.Error(diff)
	}
}

// Every delay is drawn by the seed, so records of one call finish one by one.
func TestOutcomesArriveOneByOne(t *testing.T) {
	r := newFixture(t, patient())
	var rows []row
	for i := range 40 {
		rows = append(rows, deviceRow(pc(fmt.Sprintf("N%02d", i)), "n"))
	}
	r.must(200, "POST", importPath, importBody(rows...))
	counts := map[int]bool{}
	for range 20 {
		r.s.Advance(10 * time.Second)
		done := 0
		for _, outcome := range r.outcomes("n") {
			if outcome == "complete None" {
				done++
			}
		}
		counts[done] = true
	}
	if len(counts) < 8 || !counts[40] || !counts[0] {
		t.Errorf("numbers of finished records seen: %v", counts)
	}
}

func TestImportedPaging(t *testing.T) {
	o := patient()
	o.Pages.Imported = 3
	r := newFixture(t, o)
	for call := range 2 {
		var rows []row
		for i := range 5 {
			rows = append(rows, deviceRow(pc(fmt.Sprintf("P%d-%d", call, i)), fmt.Sprint("p", call)))
		}
		r.must(200, "POST", importPath, importBody(rows...))
	}
	r.s.Advance(time.Second)
	if got := r.all(importedPath); len(got) != 10 {
		t.Errorf("all: %d", len(got))
	}
	if got := r.outcomes("p1"); len(got) != 5 {
		t.Errorf("by import id: %v", got)
	}
	if got := r.all(importedPath + "?$filter=contains(serialNumber,'0-3')"); len(got) != 1 {
		t.Errorf("by serial: %v", got)
	}
	first := r.must(200, "GET", importedPath, nil)
	for _, rec := range first["value"].([]any) {
		r.must(204, "DELETE", importedPath+"/"+rec.(row)["id"].(string), nil)
	}
	if got := r.all(first["@odata.nextLink"].(string)); len(got) != 7 {
		t.Errorf("after deleting the first page, the rest has %d", len(got))
	}
	r.must(400, "GET", importedPath+"?$orderby=serialNumber", nil)
	r.must(400, "GET", importedPath+"?$filter=id%20eq%20'x'", nil)
	r.must(400, "GET", importedPath+"?$filter=importId%20eq", nil)
	r.must(400, "GET", importedPath+"?$top=0", nil)
}

func TestDeletedRecordLeavesTheDevice(t *testing.T) {
	r := newFixture(t, patient())
	r.register("d", pc("KEEP"))
	id := r.state(contoso).Imported[0].ID
	r.must(204, "DELETE", importedPath+"/"+id, nil)
	r.must(404, "DELETE", importedPath+"/"+id, nil)
	r.must(404, "GET", importedPath+"/"+id, nil)
	if st := r.state(contoso); len(st.Identities) != 1 || len(st.Imported) != 0 || len(r.outcomes("d")) != 0 {
		t.Errorf("%+v", st)
	}
}

func TestInvisibleAtFirst(t *testing.T) {
	o := patient()
	o.Delays.ImportedVisible = seconds(5, 5)
	r := newFixture(t, o)
	r.must(200, "POST", importPath, importBody(deviceRow(pc("V"), "v")))
	if got := r.outcomes("v"); len(got) != 0 {
		t.Errorf("too early: %v", got)
	}
	r.s.Advance(5 * time.Second)
	if got := r.outcomes("v"); len(got) != 1 {
		t.Errorf("too late: %v", got)
	}
}
