package submission

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/graph"
	"taxiway.example/pkg/hwhash"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/pipeline"
	"taxiway.example/pkg/telemetry"
	"taxiway.example/services/importer/internal/outcome"
)

// look is one look at a submission: what it finds out and what follows.
type look struct {
	*Service
	client Finder
	sub    ledger.Submission
	now    time.Time

	records    map[string]string // of the devices that have one, by device
	moves      []ledger.Move
	registered []device.Device
	meanings   []string // of the devices whose import ended
	staying    int      // devices that wait on

	searches int   // made so far
	more     bool  // some were put off to the next look
	failed   error // what kept the searches from going on
}

// decide says what becomes of one device, given its records.
func (l *look) decide(ctx context.Context, d device.Device, records []autopilot.Imported) {
	if len(records) == 0 {
		l.missing(d)
		return
	}
	r := outcome.Decisive(records)
	l.records[d.ID] = r.ID
	d.Serial = cmp.Or(r.Serial, d.Serial) // the answer is about what was sent, whatever a newer capture says
	p := outcome.For(r.Meaning())
	ended := func(m ledger.Move) { l.end(m, string(r.Meaning())) }
	switch {
	case p.Action == outcome.Wait:
		l.stay(d, device.Submitted, l.alarm())
	case p.Action == outcome.Register && r.RegistrationID != "":
		l.register(d, r.RegistrationID, string(r.Meaning()))
	case p.Action == outcome.Register: // registered, and the record does not say as what
		l.find(ctx, d, search{why: fault.AutopilotAlreadyHere, limit: l.Timings.Invisible, meaning: r.Meaning(), otherwise: l.ghost})
	case p.Action == outcome.Find:
		l.find(ctx, d, search{why: p.Code, limit: l.Timings.Invisible, meaning: r.Meaning(), otherwise: l.ghost})
	case p.Action == outcome.Twin:
		l.find(ctx, d, search{why: p.Code, limit: l.Timings.Settle, meaning: r.Meaning(), otherwise: l.alone})
	case p.Action == outcome.Hold:
		ended(move(d, device.Held, time.Time{}, p.Code, said(r)))
	case p.Action == outcome.Again:
		ended(l.again(d, l.now, p.Code, said(r)))
	default:
		ended(move(d, device.Dead, time.Time{}, p.Code, said(r)))
	}
}

// missing decides about a device without a record: it waits until the settle time has passed, then it counts as lost. If its
// record was there before, somebody deletes records by hand or the listing was incomplete once; then the time starts when it
// was first missed. No search by serial number here: only Autopilot can say that this hardware is the one registered.
func (l *look) missing(d device.Device) {
	settle, posted := l.Timings.Settle, l.sub.Posted
	if posted.IsZero() {
		posted = l.sub.Created
	}
	early := l.now.Sub(posted) < settle
	switch {
	case early && d.State == device.Submitting:
		l.stay(d, d.State, fault.GraphUnknownOutcome)
	case early:
		l.stay(d, d.State, "")
	case d.State == device.Submitted && (d.Code != fault.AutopilotLost || l.now.Sub(d.Updated) < settle):
		l.stay(d, d.State, fault.AutopilotLost)
	default:
		l.end(l.again(d, l.now, fault.AutopilotLost, "Autopilot has no record of the import."), meaningLost)
	}
}

// meaningLost stands beside Autopilot's own meanings in the metrics.
const meaningLost = "lost"

func (l *look) ghost(d device.Device, refused error) ledger.Move {
	if refused != nil {
		return move(d, device.Dead, time.Time{}, fault.CodeOf(refused),
			"Autopilot said that the device is registered here, and refuses the search for it: "+fault.DetailOf(refused))
	}
	return move(d, device.Dead, time.Time{}, fault.AutopilotGhost,
		fmt.Sprintf("Autopilot said that the device is registered here, and did not show it for %s.", l.Timings.Invisible))
}

func (l *look) alone(d device.Device, refused error) ledger.Move {
	one, detail := 1, "The twin of the device does not show up; it is sent again alone."
	if refused != nil {
		detail = "The search for the twin of the device is refused; it is sent again alone."
	}
	m := l.again(d, l.now, fault.AutopilotDuplicated, detail)
	m.Set.ChunkLimit = &one
	return m
}

// search is a reason to look for a registered device by its serial number.
type search struct {
	why       fault.Code // shown on the device while it waits
	limit     time.Duration
	meaning   autopilot.Meaning
	otherwise func(d device.Device, refused error) ledger.Move // when it has not been found within the limit
}

// find looks for the device among the registered ones; until it shows up or the limit has passed, it waits. A search that
// failed says nothing about the device, and costs time only; but one that the service refuses as it stands it always will.
func (l *look) find(ctx context.Context, d device.Device, s search) {
	if l.failed != nil || l.searches >= l.Timings.MaxLookups {
		l.more = true
		l.stay(d, device.Submitted, s.why)
		return
	}
	l.searches++
	found, err := l.client.FindBySerial(ctx, d.Serial)
	if err != nil && !refused(err) {
		if aboutDevice(err) {
			report(ctx, "the search for a registered device failed", err)
		} else {
			l.failed = err
		}
		l.stay(d, device.Submitted, s.why)
		return
	}
	switch same, strength := pick(d, found), d.Serial.Placeholder(); {
	case len(same) > 0 && strength != hwhash.NoPlaceholder:
		detail := fmt.Sprintf("Its serial number is a %s placeholder; a device that is registered with it may be another one.", strength)
		l.end(move(d, device.Dead, time.Time{}, fault.AutopilotNotUnique, detail), string(s.meaning))
	case len(same) == 1:
		l.register(d, same[0].ID, string(s.meaning))
	case len(same) > 1:
		detail := fmt.Sprintf("%d registered devices have its serial number, manufacturer and model.", len(same))
		l.end(move(d, device.Dead, time.Time{}, fault.AutopilotNotUnique, detail), string(s.meaning))
	case d.Code == s.why && l.now.Sub(d.Updated) >= s.limit:
		l.end(s.otherwise(d, err), string(s.meaning))
	default:
		l.stay(d, device.Submitted, s.why)
	}
}

// refused reports whether the service understood a search and will not make it: HTTP 400.
func refused(err error) bool {
	e, ok := errors.AsType[*graph.Error](err)
	return ok && e.Status == http.StatusBadRequest && fault.Is(err, fault.GraphBadRequest)
}

// aboutDevice reports whether a search failed because of what was searched for: the next device's may go well.
func aboutDevice(err error) bool {
	return fault.Is(err, fault.GraphUnexpected, fault.GraphBadRequest)
}

// stay lets the device wait, and moves it only when there is something new to say.
func (l *look) stay(d device.Device, in device.State, code fault.Code) {
	l.staying++
	if d.State != in || d.Code != code {
		l.moves = append(l.moves, move(d, in, time.Time{}, code, ""))
	}
}

func (l *look) register(d device.Device, id, meaning string) {
	m := move(d, device.Registered, l.now.Add(l.Timings.Grace), "", "")
	m.Attempts, m.Set.RegistrationID = 0, &id
	l.registered = append(l.registered, d)
	l.end(m, meaning)
}

func (l *look) end(m ledger.Move, meaning string) {
	l.moves = append(l.moves, m)
	l.meanings = append(l.meanings, meaning)
}

// alarm is the reason shown on devices whose import takes too long.
func (l *look) alarm() fault.Code {
	if l.now.Sub(l.sub.Created) >= l.Timings.Stuck {
		return fault.AutopilotPending
	}
	return ""
}

// change is what the look does to the submission.
func (l *look) change(ctx context.Context, present bool) ledger.SubmissionChange {
	sub := l.sub
	sub.Code = l.alarm()
	if present && sub.State == ledger.SubmissionOpen {
		sub.State, sub.Posted = ledger.SubmissionPosted, l.now
	}
	pause := l.Timings.poll(sub.Polls)
	sub.Polls++
	switch {
	case l.staying == 0 && sub.State == ledger.SubmissionOpen:
		// Nothing of it ever showed up. One more look, for records that come later still.
		sub = settled(sub, l.now)
		sub.Code, pause = fault.AutopilotLost, l.Timings.Settle
	case l.staying == 0:
		sub = settled(sub, l.now)
		sub.Code, pause = "", l.Timings.Cleanup
	case l.failed != nil:
		sub.Code, pause = fault.CodeOf(l.failed), max(pause, l.Timings.pause(l.failed))
	case l.more:
		pause = l.Timings.poll(0)
	}
	if sub.Code == fault.AutopilotPending {
		l.Metrics.stuck.Inc()
		pipeline.Logger(ctx).WarnContext(ctx, "an import takes very long",
			telemetry.KeyCount, l.staying, "since", sub.Created)
	}
	sub.Due = l.now.Add(spread(pause, sub.ID))
	return ledger.SubmissionChange{Submission: sub, Items: l.items(), Moves: l.moves}
}

// items returns the items whose record was not known before.
func (l *look) items() []ledger.Item {
	var changed []ledger.Item
	for _, i := range l.sub.Items {
		if id := l.records[i.Device]; id != "" && id != i.RecordID {
			i.RecordID = id
			changed = append(changed, i)
		}
	}
	return changed
}

// count takes the committed outcomes into the metrics.
func (l *look) count() {
	for _, m := range l.meanings {
		l.Metrics.outcomes.WithLabelValues(m).Inc()
	}
	if l.sub.State == ledger.SubmissionOpen && len(l.records) == 0 && l.staying == 0 {
		l.Metrics.submissions.WithLabelValues(resultLost).Inc()
	}
}
