package api

import (
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
)

// Device is a device as its own tenant may see it: with its serial number, without product key and hash.
type Device struct {
	ID             string         `json:"id"`
	Serial         string         `json:"serialNumber"`
	Manufacturer   string         `json:"manufacturer"`
	Model          string         `json:"model"`
	MatchedBy      device.KeyKind `json:"matchedBy"`
	GroupTag       string         `json:"groupTag,omitempty"`
	User           string         `json:"assignedUser,omitempty"`
	Batch          string         `json:"batch"`
	Row            int            `json:"row"`
	State          device.State   `json:"state"`
	Code           fault.Code     `json:"code,omitempty"`
	Title          string         `json:"title,omitempty"`
	Detail         string         `json:"detail,omitempty"`
	Hint           string         `json:"hint,omitempty"`
	Attempts       int            `json:"attempts"`
	Due            *time.Time     `json:"due,omitempty"`
	Tag            string         `json:"confirmedGroupTag,omitempty"`
	AssignedUser   string         `json:"confirmedUser,omitempty"`
	Confirmed      *time.Time     `json:"confirmed,omitempty"` // when Autopilot last showed the ready device
	RegistrationID string         `json:"registrationId,omitempty"`
	EntraDeviceID  string         `json:"entraDeviceId,omitempty"`
	Conflict       bool           `json:"conflict,omitempty"`
	TPM20          bool           `json:"tpm20"`
	VirtualMachine bool           `json:"virtualMachine"`
	Captured       *time.Time     `json:"captured,omitempty"`
	Created        time.Time      `json:"created"`
	Updated        time.Time      `json:"updated"`
}

// Decision says why a device is released, retired or replaced.
type Decision struct {
	Reason string `json:"reason"`
	DryRun bool   `json:"dryRun,omitempty"` // decide, and change nothing
}

// Release is a decision to release a device.
type Release struct {
	Decision

	BothExist bool `json:"bothExist,omitempty"` // the device that it contradicts is another one
}

// Replace is a decision to replace a device.
type Replace struct {
	Decision

	With string `json:"with"` // the held device that takes the place
}

// Change is a decision about a device's group tag or user; what is left empty stays.
type Change struct {
	Decision

	GroupTag string `json:"groupTag,omitempty"`
	User     string `json:"assignedUser,omitempty"`
}

// Replacement is two devices after one has replaced the other.
type Replacement struct {
	Retired  Device `json:"retired"`
	Released Device `json:"released"`
}

// Transition is a step of a device.
type Transition struct {
	At      time.Time    `json:"at"`
	From    device.State `json:"from,omitempty"`
	To      device.State `json:"to"`
	Code    fault.Code   `json:"code,omitempty"`
	Title   string       `json:"title,omitempty"`
	Detail  string       `json:"detail,omitempty"`
	By      string       `json:"by"`
	Attempt int          `json:"attempt"`
}
