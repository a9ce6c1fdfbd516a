// Package event holds the events that travel between the services: CloudEvents 1.0.2 with thin payloads that name
// devices and submissions by id and never carry a hash, a serial number or a user.
//
// Types carry their version; a breaking change is a new type. Decoding tolerates unknown fields and refuses unknown
// types.
package event

import (
	"time"

	"github.com/google/uuid"

	"taxiway.example/pkg/device"
)

// Type is the type of an event; it is also the message type by which the broker routes it.
type Type string

// The events.
const (
	DevicesCollected Type = "devices.collected.v1" // collector → importer: accepted, to be submitted
	SubmissionDue    Type = "submissions.due.v1"   // dispatcher → importer: look at a submission again
	// importer → grouper: registered, to be tagged, grouped and made ready
	DevicesRegistered Type = "devices.registered.v1"
	DevicesReady      Type = "devices.ready.v1" // grouper → whoever subscribes
)

// Source is the source of the events that a service emits.
func Source(service string) string { return "/taxiway/" + service }

// MaxChunk is the largest number of devices one event names.
const MaxChunk = 100

// Event is one event. Exactly one of Devices and Submission is set, by the type.
type Event struct {
	ID         string // UUIDv7, fresh for each issue; the broker's message id
	Type       Type
	Source     string // the emitting service, as Source says: "/taxiway/collector"
	Tenant     device.TenantID
	Time       time.Time
	Batch      string // the batch the devices came with, when they share one
	Trace      string // W3C traceparent, optional
	ReplayOf   string // the id of the event this one replays
	Devices    []string
	Submission string
}

// ForDevices returns an event of the type that names up to MaxChunk devices of one tenant.
func ForDevices(t Type, source string, tenant device.TenantID, ids []string, now time.Time) Event {
	return Event{
		ID:      uuid.Must(uuid.NewV7()).String(),
		Type:    t,
		Source:  source,
		Tenant:  tenant,
		Time:    now.UTC(),
		Devices: ids,
	}
}

// ForSubmission returns a SubmissionDue event.
func ForSubmission(source string, tenant device.TenantID, id string, now time.Time) Event {
	return Event{
		ID:         uuid.Must(uuid.NewV7()).String(),
		Type:       SubmissionDue,
		Source:     source,
		Tenant:     tenant,
		Time:       now.UTC(),
		Submission: id,
	}
}
