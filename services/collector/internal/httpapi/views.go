package httpapi

import (
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
	"taxiway.example/services/collector/internal/answer"
)

func viewOfRow(r ledger.RowStatus) answer.Row {
	v := answer.RowOf(r.Receipt)
	v.State, v.DeviceCode, v.Reason = r.State, r.DeviceCode, r.Reason
	return v
}

// reasonView counts rows or devices by code.
type reasonView struct {
	State ledger.State `json:"state,omitempty"`
	Code  fault.Code   `json:"code"`
	Title string       `json:"title"`
	Count int          `json:"count"`
}

func viewOfReasons(reasons []ledger.Reason) []reasonView {
	views := make([]reasonView, 0, len(reasons))
	for _, r := range reasons {
		entry, _ := fault.Lookup(r.Code)
		views = append(views, reasonView{State: r.State, Code: r.Code, Title: entry.Title, Count: r.Count})
	}
	return views
}

// batchView is a batch with its counts.
type batchView struct {
	ID        string                 `json:"id"`
	Name      string                 `json:"name,omitempty"`
	Source    string                 `json:"source"`
	State     ledger.BatchState      `json:"state"`
	Code      fault.Code             `json:"code,omitempty"`
	Detail    string                 `json:"detail,omitempty"`
	Created   time.Time              `json:"created"`
	Closed    *time.Time             `json:"closed,omitempty"`
	Rows      int                    `json:"rows"`
	Outcomes  map[ledger.Outcome]int `json:"outcomes"`
	States    map[ledger.State]int   `json:"states"`
	Conflicts map[ledger.State]int   `json:"conflicts"`
	InFlight  int                    `json:"inFlight"`
	Done      bool                   `json:"done"`
	Reasons   []reasonView           `json:"reasons"`
	Rejects   []reasonView           `json:"rejects"`
	Links     answer.Links           `json:"links"`
}

func viewOfBatch(s ledger.BatchStatus) batchView {
	v := batchView{
		ID: s.ID, Name: s.Name, Source: s.Source, State: s.State, Code: s.Code, Detail: s.Detail,
		Created: s.Created, Closed: timeOrNil(s.Closed), Rows: s.Rows, Outcomes: answer.Counts(s.Outcomes),
		States: orEmpty(s.States), Conflicts: orEmpty(s.Conflicts), Reasons: viewOfReasons(s.Reasons), Rejects: viewOfReasons(s.Rejects), Links: answer.LinksOf(s.ID),
	}
	for state, n := range s.States {
		if state.InFlight() {
			v.InFlight += n
		}
	}
	v.Done = v.InFlight == 0 && s.State != ledger.Receiving
	return v
}

func orEmpty(m map[ledger.State]int) map[ledger.State]int {
	if m == nil {
		return map[ledger.State]int{}
	}
	return m
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// deviceView is a device as its own tenant may see it: with its serial number, without product key and hash.
type deviceView struct {
	ID             string              `json:"id"`
	Serial         string              `json:"serialNumber"`
	Manufacturer   string              `json:"manufacturer"`
	Model          string              `json:"model"`
	Evidence       device.EvidenceKind `json:"evidence"`
	GroupTag       string              `json:"groupTag,omitempty"`
	User           string              `json:"assignedUser,omitempty"`
	Batch          string              `json:"batch"`
	Row            int                 `json:"row"`
	State          ledger.State        `json:"state"`
	Code           fault.Code          `json:"code,omitempty"`
	Title          string              `json:"title,omitempty"`
	Detail         string              `json:"detail,omitempty"`
	Hint           string              `json:"hint,omitempty"`
	Attempts       int                 `json:"attempts"`
	Due            *time.Time          `json:"due,omitempty"`
	Tag            string              `json:"confirmedGroupTag,omitempty"`
	RegistrationID string              `json:"registrationId,omitempty"`
	EntraDeviceID  string              `json:"entraDeviceId,omitempty"`
	Conflict       bool                `json:"conflict,omitempty"`
	TPM20          bool                `json:"tpm20"`
	VirtualMachine bool                `json:"virtualMachine"`
	Captured       *time.Time          `json:"captured,omitempty"`
	Created        time.Time           `json:"created"`
	Updated        time.Time           `json:"updated"`
}

func viewOfDevice(d ledger.Device) deviceView {
	v := deviceView{
		ID: d.ID, Serial: d.Serial.Reveal(), Manufacturer: d.Manufacturer, Model: d.Product, Evidence: d.Kind, GroupTag: d.GroupTag, User: d.User,
		Batch: d.Batch, Row: d.Row, State: d.State, Code: d.Code, Detail: d.Detail, Attempts: d.Attempts, Due: timeOrNil(d.Due), Tag: d.Tag,
		RegistrationID: d.RegistrationID, EntraDeviceID: d.EntraDeviceID, Conflict: d.Variant != "",
		TPM20: d.Facts.TPM20, VirtualMachine: d.Facts.VirtualMachine, Captured: timeOrNil(d.Captured), Created: d.Created, Updated: d.Updated,
	}
	if entry, ok := fault.Lookup(d.Code); ok {
		v.Title, v.Hint = entry.Title, entry.Hint
	}
	return v
}

// transitionView is a row of a device's timeline.
type transitionView struct {
	At      time.Time    `json:"at"`
	From    ledger.State `json:"from,omitempty"`
	To      ledger.State `json:"to"`
	Code    fault.Code   `json:"code,omitempty"`
	Title   string       `json:"title,omitempty"`
	Detail  string       `json:"detail,omitempty"`
	By      string       `json:"by"`
	Attempt int          `json:"attempt"`
}

func viewOfTransition(t ledger.Transition) transitionView {
	v := transitionView{At: t.At, From: t.From, To: t.To, Code: t.Code, Detail: t.Detail, By: t.By, Attempt: t.Attempt}
	if entry, ok := fault.Lookup(t.Code); ok {
		v.Title = entry.Title
	}
	return v
}

// letterView is a dead letter.
type letterView struct {
	ID           string             `json:"id"`
	Tenant       device.TenantID    `json:"tenant,omitempty"`
	Device       string             `json:"device,omitempty"`
	From         ledger.State       `json:"from,omitempty"`
	Message      string             `json:"message,omitempty"`
	Subscription string             `json:"subscription,omitempty"`
	Type         string             `json:"type,omitempty"`
	Code         fault.Code         `json:"code"`
	Title        string             `json:"title"`
	Detail       string             `json:"detail,omitempty"`
	Hint         string             `json:"hint"`
	Attempts     int                `json:"attempts"`
	Replays      int                `json:"replays"`
	State        ledger.LetterState `json:"state"`
	At           time.Time          `json:"at"`
	Closed       *time.Time         `json:"closed,omitempty"`
	ClosedBy     string             `json:"closedBy,omitempty"`
}

func viewOfLetter(l ledger.Letter) letterView {
	entry, _ := fault.Lookup(l.Code)
	return letterView{
		ID: l.ID, Tenant: l.Tenant, Device: l.Device, From: l.From, Message: l.Message, Subscription: l.Subscription, Type: l.Type,
		Code: l.Code, Title: entry.Title, Detail: l.Detail, Hint: entry.Hint, Attempts: l.Attempts, Replays: l.Replays,
		State: l.State, At: l.At, Closed: timeOrNil(l.Closed), ClosedBy: l.ClosedBy,
	}
}
