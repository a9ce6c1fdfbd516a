// Package outcome is the importer's policy: what to do about each thing that Autopilot can say about a device.
package outcome

import (
	"slices"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/fault"
)

// Action is what the importer does with a device. The order decides between several records of one device: the smaller
// wins.
type Action uint8

// The actions.
const (
	Register Action = iota // Autopilot has it: on to the grouper
	Wait                   // not decided yet
	Find                   // look for the registered device by serial number; it is ours if it is found
	Hold                   // a person must decide
	Bury                   // dead: it will not work without a change
	Again                  // send it again later, at the cost of an attempt
	Twin                   // as Find, but if it is not found send it again, alone
)

// Policy is an action and the code that explains it.
type Policy struct {
	Action Action
	Code   fault.Code
}

// policies has a row for each autopilot.Meaning; a test holds it to that.
var policies = map[autopilot.Meaning]Policy{
	autopilot.MeaningRegistered:         {Register, ""},
	autopilot.MeaningInFlight:           {Wait, ""},
	autopilot.MeaningAlreadyHere:        {Find, fault.AutopilotAlreadyHere},
	autopilot.MeaningDuplicated:         {Twin, fault.AutopilotDuplicated},
	autopilot.MeaningStorage:            {Again, fault.AutopilotStorage},
	autopilot.MeaningOtherTenant:        {Hold, fault.AutopilotOtherTenant},
	autopilot.MeaningRegisteredByOthers: {Hold, fault.AutopilotOtherTenant},
	autopilot.MeaningInvalidBody:        {Bury, fault.AutopilotInvalidBody},
	autopilot.MeaningInvalidHash:        {Bury, fault.AutopilotInvalidHash},
	autopilot.MeaningMissingSerial:      {Bury, fault.AutopilotMissingSerial},
	autopilot.MeaningNotRegistered:      {Bury, fault.AutopilotNotRegistered},
	autopilot.MeaningNotFound:           {Bury, fault.AutopilotNotFound},
	autopilot.MeaningNotUnique:          {Bury, fault.AutopilotNotUnique},
	autopilot.MeaningEntraRegistered:    {Bury, fault.AutopilotEntraRegistered},

	// These are known from other places than an import. As its outcome nobody has seen them.
	autopilot.MeaningNoProfile:           {Bury, fault.AutopilotUnknown},
	autopilot.MeaningProfileOtherTenant:  {Bury, fault.AutopilotUnknown},
	autopilot.MeaningRegistrationDiffers: {Bury, fault.AutopilotUnknown},
	autopilot.MeaningUnknown:             {Bury, fault.AutopilotUnknown},
}

// For returns the policy for a meaning. A meaning without a row is treated as unknown.
func For(m autopilot.Meaning) Policy {
	if p, ok := policies[m]; ok {
		return p
	}
	return policies[autopilot.MeaningUnknown]
}

// Decisive returns the record that decides about its device, of one or more: Autopilot may hold several under one
// import id, of which one is the device and the others are called duplicates.
func Decisive(records []autopilot.Imported) autopilot.Imported {
	return slices.MinFunc(records, func(a, b autopilot.Imported) int {
		return int(For(a.Meaning()).Action) - int(For(b.Meaning()).Action)
	})
}
