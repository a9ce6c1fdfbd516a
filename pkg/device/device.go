package device

import (
	"time"

	"taxiway.example/pkg/fault"
)

// Device is a device as the ledger keeps it, without its capture.
type Device struct {
	ID      string // UUIDv7
	Tenant  TenantID
	Key     Key
	Kind    EvidenceKind
	Variant string // "" for the device itself; for a held conflict the hex digest of the capture that disagrees

	Serial       Serial
	Manufacturer string
	Product      string
	ProductKeyID ProductKeyID
	GroupTag     string // as asked for by the row; rules may override it
	User         string // assigned user principal name, may be empty
	Source       string
	Batch        string
	Row          int
	Facts        Facts

	State          State
	Version        int64 // grows with every move, not with a newer capture; the compare in compare-and-set
	Attempts       int   // failed attempts at the present stage
	ChunkLimit     int   // the most devices its next submission may have; 0 = no limit of its own
	Due            time.Time
	Code           fault.Code // why it waits, is held or is dead; "" when all is well
	Detail         string
	Submission     string // the submission it is part of, or was last
	RegistrationID string // id of its windowsAutopilotDeviceIdentity
	EntraDeviceID  string // deviceId of its Entra device
	Tag            string // the group tag confirmed in Autopilot

	Captured time.Time // capture time of the stored hash
	Created  time.Time
	Updated  time.Time // of the last move
}

// Facts are what rules ask about a device beyond its names; they come from the hash.
type Facts struct {
	TPM20          bool `json:"tpm20"`
	VirtualMachine bool `json:"virtualMachine"`
}
