package httpapi

import (
	"time"

	"taxiway.example/pkg/api"
	"taxiway.example/pkg/deadletter"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
	"taxiway.example/services/collector/internal/answer"
)

func viewOfRow(r ledger.RowStatus) api.Row {
	v := answer.RowOf(r.Receipt)
	v.State = r.State
	v.DeviceCode = r.DeviceCode
	v.Reason = r.Reason
	return v
}

func viewOfReasons(reasons []ledger.Reason) []api.Reason {
	views := make([]api.Reason, 0, len(reasons))
	for _, r := range reasons {
		entry, _ := fault.Lookup(r.Code)
		views = append(views, api.Reason{State: r.State, Code: r.Code, Title: entry.Title, Count: r.Count})
	}
	return views
}

func viewOfBatch(s ledger.BatchStatus) api.Batch {
	v := api.Batch{
		ID: s.ID, Name: s.Name, Source: s.Source, State: api.BatchState(s.State), Code: s.Code, Detail: s.Detail,
		Created: s.Created, Closed: timeOrNil(s.Closed), Rows: s.Rows, Outcomes: answer.Counts(s.Outcomes),
		States:    orEmpty(s.States),
		Conflicts: orEmpty(s.Conflicts), Reasons: viewOfReasons(s.Reasons), Rejects: viewOfReasons(s.Rejects),
		Differs: viewOfReasons(s.Differs), Checks: s.Checks,
		Links: api.LinksOf(s.ID),
	}
	for state, n := range s.States {
		if state.InFlight() {
			v.InFlight += n
		}
	}
	v.Done = v.InFlight == 0 && s.Checks == 0 && s.State != ledger.Receiving
	return v
}

func orEmpty(m map[device.State]int) map[device.State]int {
	if m == nil {
		return map[device.State]int{}
	}
	return m
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func viewOfDevice(d device.Device) api.Device {
	v := api.Device{
		ID: d.ID, Serial: d.Serial.Reveal(), Manufacturer: d.Manufacturer, Model: d.Product, MatchedBy: d.Kind,
		GroupTag: d.GroupTag, User: d.User,
		Batch: d.Batch, Row: d.Row, State: d.State, Code: d.Code, Detail: d.Detail, Attempts: d.Attempts,
		Due: timeOrNil(d.Due), Tag: d.Tag, AssignedUser: d.AssignedUser, Confirmed: timeOrNil(d.Confirmed),
		RegistrationID: d.RegistrationID, EntraDeviceID: d.EntraDeviceID, Conflict: d.Variant != "",
		TPM20: d.Facts.TPM20, VirtualMachine: d.Facts.VirtualMachine, Captured: timeOrNil(d.CapturedAt),
		Created: d.Created, Updated: d.Updated,
	}
	if entry, ok := fault.Lookup(d.Code); ok {
		v.Title = entry.Title
		v.Hint = entry.For(d.ID, device.KnownSide(d.Detail)).Hint
	}
	return v
}

func viewOfTransition(t ledger.Transition) api.Transition {
	v := api.Transition{At: t.At, From: t.From, To: t.To, Code: t.Code, Detail: t.Detail, By: t.By, Attempt: t.Attempt}
	if entry, ok := fault.Lookup(t.Code); ok {
		v.Title = entry.Title
	}
	return v
}

func viewOfResult(r deadletter.Result) api.Replayed {
	return api.Replayed{
		ID: r.ID, Outcome: string(r.Outcome), Code: r.Code, Detail: r.Detail, Device: r.Device, Message: r.Message,
	}
}

func viewOfDeadLetter(l ledger.DeadLetter) api.DeadLetter {
	entry, _ := fault.Lookup(l.Code)
	return api.DeadLetter{
		ID: l.ID, Tenant: l.Tenant, Device: l.Device, From: l.From, Message: l.Message, Subscription: l.Subscription,
		Type: l.Type,
		Code: l.Code, Title: entry.Title, Detail: l.Detail, Hint: entry.For(l.Device, "").Hint,
		Attempts: l.Attempts, Replays: l.Replays,
		State: string(l.State), At: l.At, Closed: timeOrNil(l.Closed), ClosedBy: l.ClosedBy, ClosedWhy: l.ClosedWhy,
	}
}
