package api

import (
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
)

// DeadLetter is a dead letter: a device given up, or a message nobody could use.
type DeadLetter struct {
	ID           string          `json:"id"`
	Tenant       device.TenantID `json:"tenant,omitempty"`
	Device       string          `json:"device,omitempty"`
	From         device.State    `json:"from,omitempty"` // the state the device died in
	Message      string          `json:"message,omitempty"`
	Subscription string          `json:"subscription,omitempty"`
	Type         string          `json:"type,omitempty"`
	Code         fault.Code      `json:"code"`
	Title        string          `json:"title"`
	Detail       string          `json:"detail,omitempty"`
	Hint         string          `json:"hint"`
	Attempts     int             `json:"attempts"`
	Replays      int             `json:"replays"`
	State        string          `json:"state"` // open, replayed or closed
	At           time.Time       `json:"at"`
	Closed       *time.Time      `json:"closed,omitempty"`
	ClosedBy     string          `json:"closedBy,omitempty"`
	ClosedWhy    string          `json:"closedWhy,omitempty"`
}

// Replay asks for dead letters to be put back to work.
type Replay struct {
	IDs    []string `json:"ids"`
	Reason string   `json:"reason"`
}

// The outcomes of a replay.
const (
	OutcomeReplayed = "replayed"
	OutcomeGone     = "gone" // the broker does not hold the message any more; its dead letter is closed
	OutcomeFailed   = "failed"
)

// Replayed is what became of one dead letter of a replay.
type Replayed struct {
	ID      string     `json:"id"`
	Outcome string     `json:"outcome"`
	Code    fault.Code `json:"code,omitempty"`
	Detail  string     `json:"detail,omitempty"`
	Device  string     `json:"device,omitempty"`
	Message string     `json:"message,omitempty"` // the new id of a message
}

// OK reports whether the dead letter is back at work.
func (r Replayed) OK() bool { return r.Outcome == OutcomeReplayed }
