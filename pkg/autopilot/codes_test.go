package autopilot

import (
	"encoding/json"
	"testing"
)

func TestMeaningOf(t *testing.T) {
	tests := []struct {
		name string
		code int
		want Meaning
	}{
		{"None", 0, MeaningRegistered},
		{"", 0, MeaningRegistered},
		{"None", 806, MeaningAlreadyHere},
		{"none", 999, MeaningUnknown},
		{"ZtdDeviceAssignedToAnotherTenant", 0, MeaningOtherTenant},
		{" ztddeviceassignedtoothertenant ", 806, MeaningOtherTenant}, // the name counts first
		{"", 808, MeaningOtherTenant},
		{"SomethingNew", 806, MeaningAlreadyHere}, // then the code
		{"SomethingNew", 0, MeaningUnknown},
		{"SomethingNew", 4711, MeaningUnknown},
		{"", 4711, MeaningUnknown},
		{"", -1, MeaningUnknown},
		{"ZtdDeviceDuplicated", 806, MeaningDuplicated},
		{"ZtdDeviceHasNoAssignedProfile", 809, MeaningNoProfile},
		{"ZtdDeviceHasNoAssignedProfile", 815, MeaningNoProfile},
		{"ZtdProfileIsNotRegistered", 809, MeaningNoProfile},
		{"", 809, MeaningNoProfile},
		{"", 815, MeaningNoProfile},
		{"StorageError", 1, MeaningStorage},
		{"HashNot4k", 0, MeaningInvalidHash},
	}
	for _, tt := range tests {
		if got := MeaningOf(tt.name, tt.code); got != tt.want {
			t.Errorf("%q %d: %s, want %s", tt.name, tt.code, got, tt.want)
		}
	}
}

func TestTableIsSound(t *testing.T) {
	names := map[string]bool{}
	meanings := map[int]Meaning{}
	for _, r := range table {
		if r.source == "" || names[r.name] {
			t.Errorf("%s: no source, or twice", r.name)
		}
		names[r.name] = true
		if m, ok := meanings[r.code]; ok && r.code != 0 && m != r.meaning {
			t.Errorf("%d means %s and %s", r.code, m, r.meaning)
		}
		meanings[r.code] = r.meaning
		if MeaningOf(r.name, r.code) != r.meaning || MeaningOf(r.name, 0) != r.meaning {
			t.Errorf("%s is not found", r.name)
		}
	}
}

// TestStrangeRecordsAreRead: an odd value must not hide the record around it.
func TestStrangeRecordsAreRead(t *testing.T) {
	for raw, want := range map[string]Meaning{
		`{"state":{"deviceImportStatus":"error","deviceErrorCode":"806","deviceErrorName":null}}`:     MeaningAlreadyHere,
		`{"state":{"deviceImportStatus":"error","deviceErrorCode":808.0}}`:                            MeaningOtherTenant,
		`{"state":{"deviceImportStatus":"error","deviceErrorCode":"x","deviceErrorName":""}}`:         MeaningUnknown,
		`{"state":{"deviceImportStatus":"error","deviceErrorCode":1e99}}`:                             MeaningUnknown,
		`{"state":{"deviceImportStatus":"complete","deviceErrorCode":null,"deviceErrorName":"None"}}`: MeaningRegistered,
		`{"state":null,"serialNumber":null}`:                                                          MeaningInFlight,
	} {
		var w importedWire
		if err := json.Unmarshal([]byte(raw), &w); err != nil {
			t.Errorf("%s: %v", raw, err)
		}
		if got := w.imported().Meaning(); got != want {
			t.Errorf("%s: %s, want %s", raw, got, want)
		}
	}
	var w identityWire
	raw := `{"id":"1","azureActiveDirectoryDeviceId":"00000000-0000-0000-0000-000000000000","azureAdDeviceId":"",` +
		`"deploymentProfileAssignedDateTime":"soon","deploymentProfileAssignmentStatus":"assignedSomehow"}`
	if err := json.Unmarshal([]byte(raw), &w); err != nil || w.identity().EntraDeviceID != "" ||
		w.identity().ProfileAssigned() {
		t.Errorf("%v %+v", err, w.identity())
	}
}

func FuzzMeaningOf(f *testing.F) {
	f.Add("ZtdDeviceAlreadyAssigned", 806)
	f.Add("None", 0)
	f.Fuzz(func(t *testing.T, name string, code int) {
		if MeaningOf(name, code) == MeaningRegistered && code != 0 {
			t.Errorf("%q %d is taken for success", name, code)
		}
	})
}
