package autopilot

import "strings"

// Meaning is what an error name and code of the Device Directory Service mean. It is a statement, not an instruction.
type Meaning string

// The meanings.
const (
	MeaningUnknown     Meaning = "unknown"       // nobody has documented it, or it contradicts itself
	MeaningInFlight    Meaning = "in_flight"     // not decided yet
	MeaningRegistered  Meaning = "registered"    // done
	MeaningStorage     Meaning = "storage_error" // generic failure of the service
	MeaningInvalidBody Meaning = "invalid_body"  // the request is malformed
	// the hash is invalid, or has no manufacturer or serial inside
	MeaningInvalidHash         Meaning = "invalid_hash"
	MeaningMissingSerial       Meaning = "missing_serial"       // neither serial nor product key
	MeaningAlreadyHere         Meaning = "already_here"         // registered in this tenant
	MeaningNotRegistered       Meaning = "not_registered"       // not a device of this tenant
	MeaningOtherTenant         Meaning = "other_tenant"         // registered in another tenant
	MeaningNoProfile           Meaning = "no_profile"           // a profile is missing
	MeaningProfileOtherTenant  Meaning = "profile_other_tenant" // the profile belongs to another tenant
	MeaningRegisteredByOthers  Meaning = "registered_by_others" // a partner or OEM registered it and must deregister it
	MeaningNotFound            Meaning = "not_found"            // no hardware matches
	MeaningNotUnique           Meaning = "not_unique"           // several devices match
	MeaningEntraRegistered     Meaning = "entra_registered"     // an Entra device object is in the way
	MeaningRegistrationDiffers Meaning = "registration_differs" // registered data is not that of the hardware
	MeaningDuplicated          Meaning = "duplicated_in_upload" // another record of the same upload is this device
)

// row is what one source says about a name and its code; code 0 stands for one nobody has published.
type row struct {
	name    string
	code    int
	meaning Meaning
	source  string // where and when it was read
}

// The sources of the table, as they stood in November 2026.
const (
	documented = "Microsoft: Intune docs, autopilot/troubleshooting-faq and autopilot/add-devices (April 2025); " +
		"SupportArticles import-windows-autopilot-device-csv-files-errors"
	draft    = "Microsoft: working draft on device registration in a public docs repository"
	observed = "seen in public tools and threads, 2019 to 2026"
)

// table is in the order of the codes. Names are the service's. One name can have two codes, and one code two names: 809
// is ZtdProfileIsNotRegistered in the draft. In the device's event log it is ZtdDeviceHasNoAssignedProfile: the
// assigned profile was deleted; with 815 nothing is assigned and there is no default profile.
var table = []row{
	{"None", 0, MeaningRegistered, observed},
	{"StorageError", 640, MeaningStorage, documented + "; number: " + observed},
	{"InvalidZtdRequestBody", 801, MeaningInvalidBody, draft},
	{"InvalidZtdHardwareHash", 802, MeaningInvalidHash, documented},
	{"MissingZtdSerialNumberAndProductKey", 803, MeaningMissingSerial, draft},
	{"ZtdDeviceAlreadyAssigned", 806, MeaningAlreadyHere, documented},
	{"ZtdDeviceIsNotRegistered", 807, MeaningNotRegistered, documented},
	{"ZtdDeviceAssignedToOtherTenant", 808, MeaningOtherTenant, documented},
	{"ZtdDeviceAssignedToAnotherTenant", 808, MeaningOtherTenant, documented},
	{"ZtdProfileIsNotRegistered", 809, MeaningNoProfile, draft},
	{"ZtdProfileAssignedToOtherTenant", 810, MeaningProfileOtherTenant, draft},
	{"ZtdDeviceRegisteredByOtherTenant", 811, MeaningRegisteredByOthers, draft},
	{"ZtdDeviceNotFound", 812, MeaningNotFound, documented + "; number: " + draft},
	{"ZtdDeviceIsNotUnique", 813, MeaningNotUnique, draft},
	{"ZtdDeviceAlreadyAadRegistered", 814, MeaningEntraRegistered, draft},
	{"ZtdDeviceHasNoAssignedProfile", 815, MeaningNoProfile, documented + "; with 815 and with 809"},
	{"SerialNumberMismatch", 908, MeaningRegistrationDiffers, documented},
	{"ProductKeyIdMismatch", 908, MeaningRegistrationDiffers, documented},
	{"ZtdDeviceDuplicated", 0, MeaningDuplicated, documented},
	{"HashNot4k", 0, MeaningInvalidHash, draft},
}

// MeaningOf looks an outcome up by name first, and by code when the name is empty or unknown. No name and no code is
// success; everything else that is not in the table is MeaningUnknown.
func MeaningOf(name string, code int) Meaning {
	name = strings.TrimSpace(name)
	if name == "" && code == 0 {
		return MeaningRegistered
	}
	if name != "" {
		for _, r := range table {
			if strings.EqualFold(r.name, name) && agrees(r, code) {
				return r.meaning
			}
		}
	}
	for _, r := range table {
		if r.code == code && code != 0 {
			return r.meaning
		}
	}
	return MeaningUnknown
}

// agrees guards against the one pair that would turn a failure into a success: "None" beside a code.
func agrees(r row, code int) bool { return r.meaning != MeaningRegistered || code == 0 }
