package event

import (
	"taxiway.example/pkg/fault"
)

// Longest values, in bytes. Azure Service Bus takes message ids of 128; a retry or a replay adds to an id.
const (
	maxID     = 100
	maxSource = 200
)

// shape says what the body of a type holds.
type shape uint8

const (
	ofDevices shape = iota + 1
	ofSubmission
)

// shapeOf is the list of known types.
func shapeOf(t Type) (shape, error) {
	switch t {
	case DevicesCollected, DevicesRegistered, DevicesReady:
		return ofDevices, nil
	case SubmissionDue:
		return ofSubmission, nil
	case "":
		return 0, malformed("the attribute type is missing")
	}
	return 0, fault.New(fault.MessageUnknownType, "this release does not know the event type")
}

func versionFault(v string) error {
	if v == "" {
		return malformed("the attribute specversion is missing")
	}
	return fault.New(fault.MessageUnknownType, "this release does not know the CloudEvents version")
}

func malformed(detail string) error { return fault.New(fault.MessageMalformed, detail) }

// check holds what is true of every event, on the way out and on the way in.
func check(e Event) error {
	kind, err := shapeOf(e.Type)
	if err != nil {
		return err
	}
	switch {
	case !token(e.ID, maxID):
		return malformed("the attribute id is missing or not usable")
	case !token(e.Source, maxSource):
		return malformed("the attribute source is missing or not usable")
	case !e.Tenant.Valid():
		return malformed("the attribute tenantid is missing or not usable")
	case e.Batch != "" && !token(e.Batch, maxID):
		return malformed("the attribute batchid is not usable")
	case e.ReplayOf != "" && !token(e.ReplayOf, maxID):
		return malformed("the attribute replayof is not usable")
	case e.Time.IsZero() || e.Time.UTC().Year() < 1 || e.Time.UTC().Year() > 9999:
		return malformed("the attribute time is missing or out of range")
	}
	return checkBody(e, kind)
}

func checkBody(e Event, kind shape) error {
	if kind == ofSubmission {
		if len(e.Devices) > 0 || !token(e.Submission, maxID) {
			return malformed("the event must name one submission and nothing else")
		}
		return nil
	}
	if n := len(e.Devices); n == 0 || n > MaxChunk || e.Submission != "" {
		return fault.Newf(
			fault.MessageMalformed,
			"the event names %d devices; 1 to %d and nothing else are allowed",
			n,
			MaxChunk,
		)
	}
	for _, id := range e.Devices {
		if !token(id, maxID) {
			return malformed("the event names a device by something that is no id")
		}
	}
	return nil
}

// token reports whether s is one to limit bytes of printable ASCII without blanks.
func token(s string, limit int) bool {
	if s == "" || len(s) > limit {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
