package device

import (
	"time"

	"taxiway.example/pkg/fault"
)

// Known is a device as a decision about another row sees it.
type Known struct {
	Capture // of the stored hash, with identifiers of other captures that this one lacks

	ID       string // UUIDv7
	Key      Key
	Kind     KeyKind
	State    State
	Conflict bool       // it became a device as the conflict of another one, whatever became of it since
	Code     fault.Code // why it waits, is held or is dead; "" when all is well
	Detail   string
	Crowded  Crowded
}

// Crowded says by what a device is not found any more, because MaxClaims others are found by the same.
type Crowded struct{ Serial, UUID bool }

// Device is a device as the ledger keeps it, without its hash.
type Device struct {
	Known

	Tenant  TenantID
	Variant string // "" for the device itself; for a conflict the hex digest of the capture that disagrees

	ProductKeyID ProductKeyID
	GroupTag     string // as asked for; rules may override it
	User         string // assigned user principal name as asked for, may be empty
	ByOperator   bool   // tag or user were asked for by an operator, so that no other sender changes them
	Source       string
	Batch        string
	Row          int
	Facts        Facts

	Version        int64 // grows with every move, not with a newer capture; the compare in compare-and-set
	Attempts       int   // failed attempts at the present stage
	ChunkLimit     int   // the most devices its next submission may have; 0 = no limit of its own
	Due            time.Time
	Submission     string // the submission it is part of, or was last
	RegistrationID string // id of its windowsAutopilotDeviceIdentity
	EntraDeviceID  string // deviceId of its Entra device
	Tag            string // the group tag confirmed in Autopilot
	AssignedUser   string // the assigned user confirmed in Autopilot

	Created   time.Time
	Updated   time.Time // of the last move
	Confirmed time.Time // when Autopilot last showed the ready device; zero before that
}

// Facts are what rules ask about a device beyond its names; they come from the hash.
type Facts struct {
	TPM20          bool `json:"tpm20"`
	VirtualMachine bool `json:"virtualMachine"`
}
