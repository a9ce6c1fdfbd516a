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
	Tries  int // with Again: after so many the device is dead of the code; 0 = as many as any device has
}

// few is how often a device is sent whose failure may pass, but is not known to.
const few = 3

// policies has a row for each autopilot.Meaning; a test holds it to that.
var policies = map[autopilot.Meaning]Policy{
	autopilot.MeaningRegistered:         {Register, "", 0},
	autopilot.MeaningInFlight:           {Wait, "", 0},
	autopilot.MeaningAlreadyHere:        {Find, fault.AutopilotAlreadyHere, 0},
	autopilot.MeaningDuplicated:         {Twin, fault.AutopilotDuplicated, 0},
	autopilot.MeaningStorage:            {Again, fault.AutopilotStorage, 0},
	autopilot.MeaningOtherTenant:        {Hold, fault.AutopilotOtherTenant, 0},
	autopilot.MeaningRegisteredByOthers: {Hold, fault.AutopilotOtherTenant, 0},
	autopilot.MeaningInvalidBody:        {Again, fault.AutopilotInvalidBody, few},
	autopilot.MeaningInvalidHash:        {Bury, fault.AutopilotInvalidHash, 0},
	autopilot.MeaningMissingSerial:      {Bury, fault.AutopilotMissingSerial, 0},
	autopilot.MeaningNotRegistered:      {Bury, fault.AutopilotNotRegistered, 0},
	autopilot.MeaningNotFound:           {Bury, fault.AutopilotNotFound, 0},
	autopilot.MeaningNotUnique:          {Bury, fault.AutopilotNotUnique, 0},
	autopilot.MeaningEntraRegistered:    {Bury, fault.AutopilotEntraRegistered, 0},

	// These are known from other places than an import. As its outcome nobody has seen them, so they may pass.
	autopilot.MeaningNoProfile:           {Again, fault.AutopilotUnknown, few},
	autopilot.MeaningProfileOtherTenant:  {Again, fault.AutopilotUnknown, few},
	autopilot.MeaningRegistrationDiffers: {Again, fault.AutopilotUnknown, few},
	autopilot.MeaningUnknown:             {Again, fault.AutopilotUnknown, few},
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
