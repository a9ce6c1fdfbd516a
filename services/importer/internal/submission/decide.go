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

// poll is one poll of a submission: what it finds out and what follows.
type poll struct {
	*Service
	client Autopilot
	sub    ledger.Submission
	now    time.Time

	seen       bool                            // Autopilot has the import
	records    map[string]string               // of the devices that have one, by device
	strays     map[string][]autopilot.Imported // records of who knows what, by serial number
	moves      []ledger.Move
	registered []device.Device
	meanings   []string // of the devices whose import ended
	staying    int      // devices that wait on

	searches int   // made so far
	more     bool  // some were put off to the next poll
	failed   error // what kept the searches from going on
}

// decide says what becomes of one device, given its records.
func (p *poll) decide(ctx context.Context, d device.Device, records []autopilot.Imported) {
	if len(records) == 0 {
		p.unmatched(ctx, d)
		return
	}
	r := outcome.Decisive(records)
	p.records[d.ID] = r.ID
	d.Serial = cmp.Or(r.Serial, d.Serial) // the answer is about what was sent, whatever a newer capture says
	policy := outcome.For(r.Meaning())
	ended := func(m ledger.Move) { p.end(m, string(r.Meaning())) }
	switch {
	case policy.Action == outcome.Wait:
		p.stay(d, device.Submitted, p.alarm())
	case policy.Action == outcome.Register && r.RegistrationID != "":
		p.register(d, r.RegistrationID, string(r.Meaning()))
	case policy.Action == outcome.Register: // registered, and the record does not say as what
		p.find(
			ctx,
			d,
			search{
				why:       fault.AutopilotAlreadyHere,
				limit:     p.Timings.Invisible,
				meaning:   r.Meaning(),
				otherwise: p.ghost,
			},
		)
	case policy.Action == outcome.Find:
		p.find(ctx, d, search{why: policy.Code, limit: p.Timings.Invisible, meaning: r.Meaning(), otherwise: p.ghost})
	case policy.Action == outcome.Twin:
		p.find(ctx, d, search{why: policy.Code, limit: p.Timings.Lost, meaning: r.Meaning(), otherwise: p.alone})
	case policy.Action == outcome.Hold:
		ended(move(d, device.Held, time.Time{}, policy.Code, said(r)))
	case policy.Action == outcome.Again:
		ended(p.retried(d, policy, said(r)))
	default:
		ended(move(d, device.Dead, time.Time{}, policy.Code, said(r)))
	}
}

// retried sends a device again, as often as the policy says.
func (p *poll) retried(d device.Device, policy outcome.Policy, detail string) ledger.Move {
	if policy.Tries > 0 && d.Attempts+1 >= policy.Tries {
		detail = fmt.Sprintf("%s It was tried %d times.", detail, d.Attempts+1)
		return move(d, device.Dead, time.Time{}, policy.Code, detail)
	}
	return p.again(d, p.now, policy.Code, detail)
}

// missing decides about a device without a record: it waits until Timings.Lost has passed, then it counts as lost. If
// its record was there before, somebody deletes records by hand or the listing was incomplete once; then the time
// starts when it was first missed. No search by serial number here: only Autopilot can say that this hardware is the
// one registered.
func (p *poll) missing(d device.Device) {
	limit := p.Timings.Lost
	early := p.now.Sub(p.posted()) < limit
	switch {
	case early && d.State == device.Submitting:
		p.stay(d, d.State, fault.GraphUnknownOutcome)
	case early:
		p.stay(d, d.State, "")
	case d.State == device.Submitted && (d.Code != fault.AutopilotLost || p.now.Sub(d.Updated) < limit):
		p.stay(d, d.State, fault.AutopilotLost)
	default:
		p.end(p.lost(d), meaningLost)
	}
}

func (p *poll) lost(d device.Device) ledger.Move {
	return p.again(d, p.now, fault.AutopilotLost, "Autopilot has no record of the import.")
}

// meaningLost stands beside Autopilot's own meanings in the metrics.
const meaningLost = "lost"

func (p *poll) alone(_ context.Context, d device.Device, refused error) (ledger.Move, error) {
	one := 1
	detail := "The twin of the device does not show up; it is sent again alone."
	if refused != nil {
		detail = "The search for the twin of the device is refused; it is sent again alone."
	}
	m := p.again(d, p.now, fault.AutopilotDuplicated, detail)
	m.Set.ChunkLimit = &one
	return m, nil
}

// search is a reason to look for a registered device by its serial number.
type search struct {
	why     fault.Code // shown on the device while it waits
	limit   time.Duration
	meaning autopilot.Meaning
	// what follows when it has not been found within the limit
	otherwise func(ctx context.Context, d device.Device, refused error) (ledger.Move, error)
}

// find looks for the device among the registered ones; until it shows up or the limit has passed, it waits. A search
// that failed says nothing about the device, and costs time only; but one that the service refuses as it stands it
// always will.
func (p *poll) find(ctx context.Context, d device.Device, s search) {
	if p.failed != nil || p.searches >= p.Timings.MaxLookups {
		p.more = true
		p.stay(d, device.Submitted, s.why)
		return
	}
	p.searches++
	found, err := p.client.FindBySerial(ctx, d.Serial)
	if err != nil && !refused(err) {
		if aboutDevice(err) {
			report(ctx, "the search for a registered device failed", err)
		} else {
			p.failed = err
		}
		p.stay(d, device.Submitted, s.why)
		return
	}
	switch same, strength := pick(d, found), d.Serial.Placeholder(); {
	case len(same) > 0 && strength != hwhash.NoPlaceholder:
		detail := fmt.Sprintf(
			"Its serial number is a %s placeholder; a device that is registered with it may be another one.",
			strength,
		)
		p.end(move(d, device.Dead, time.Time{}, fault.AutopilotNotUnique, detail), string(s.meaning))
	case len(same) == 1:
		p.register(d, same[0].ID, string(s.meaning))
	case len(same) > 1:
		detail := fmt.Sprintf("%d registered devices have its serial number, manufacturer and model.", len(same))
		p.end(move(d, device.Dead, time.Time{}, fault.AutopilotNotUnique, detail), string(s.meaning))
	case d.Code == s.why && p.now.Sub(d.Updated) >= s.limit:
		m, err := s.otherwise(ctx, d, err)
		if err != nil {
			p.failed = err
			p.stay(d, device.Submitted, s.why)
			return
		}
		p.end(m, string(s.meaning))
	default:
		p.synchronise(ctx) // it may show only then
		p.stay(d, device.Submitted, s.why)
	}
}

// refused reports whether the service understood a search and will not make it: HTTP 400.
func refused(err error) bool {
	e, ok := errors.AsType[*graph.Error](err)
	return ok && e.Status == http.StatusBadRequest && fault.Is(err, fault.GraphBadRequest)
}

// aboutDevice reports whether a search failed because of what was searched for: the next device's may go well.
func aboutDevice(err error) bool {
	return fault.Is(err, fault.GraphUnexpected, fault.GraphListStuck, fault.GraphBadRequest)
}

// stay lets the device wait, and moves it only when there is something new to say.
func (p *poll) stay(d device.Device, in device.State, code fault.Code) {
	p.staying++
	if d.State != in || d.Code != code {
		p.moves = append(p.moves, move(d, in, time.Time{}, code, ""))
	}
}

func (p *poll) register(d device.Device, id, meaning string) {
	m := move(d, device.Registered, p.now.Add(p.Timings.Grace), "", "")
	m.Attempts = 0
	m.Set.RegistrationID = &id
	p.registered = append(p.registered, d)
	p.end(m, meaning)
}

func (p *poll) end(m ledger.Move, meaning string) {
	p.moves = append(p.moves, m)
	p.meanings = append(p.meanings, meaning)
}

// alarm is the reason shown on devices whose import takes too long.
func (p *poll) alarm() fault.Code {
	if p.now.Sub(p.sub.Created) >= p.Timings.Stuck {
		return fault.AutopilotPending
	}
	return ""
}

// change is what the poll does to the submission.
func (p *poll) change(ctx context.Context) ledger.SubmissionChange {
	sub := p.sub
	sub.Code = p.alarm()
	if p.seen && sub.State == ledger.SubmissionOpen {
		sub.State = ledger.SubmissionPosted
		sub.Posted = p.now
	}
	pause := p.Timings.poll(sub.Polls)
	sub.Polls++
	switch {
	case p.staying == 0 && sub.State == ledger.SubmissionOpen:
		// Nothing of it ever showed up. One more time it is listed, for records that come later still.
		sub = complete(sub, p.now)
		sub.Code = fault.AutopilotLost
		pause = p.Timings.Lost
	case p.staying == 0:
		sub = complete(sub, p.now)
		sub.Code = ""
		pause = p.Timings.Cleanup
	case p.failed != nil:
		sub.Code = fault.CodeOf(p.failed)
		pause = max(pause, p.Timings.pause(p.failed))
	case p.more:
		pause = p.Timings.poll(0)
	}
	if sub.Code == fault.AutopilotPending {
		p.metrics.stuck.WithLabelValues().Inc()
		pipeline.Logger(ctx).WarnContext(ctx, "an import takes very long",
			telemetry.KeyCount, p.staying, "since", sub.Created)
	}
	sub.Due = p.now.Add(spread(pause, sub.ID))
	return ledger.SubmissionChange{Submission: sub, Items: p.items(), Moves: p.moves}
}

// items returns the items whose record was not known before.
func (p *poll) items() []ledger.Item {
	var changed []ledger.Item
	for _, i := range p.sub.Items {
		if id := p.records[i.Device]; id != "" && id != i.RecordID {
			i.RecordID = id
			changed = append(changed, i)
		}
	}
	return changed
}

// count takes the committed outcomes into the metrics.
func (p *poll) count() {
	for _, m := range p.meanings {
		p.metrics.outcomes.WithLabelValues(m).Inc()
	}
	if p.sub.State == ledger.SubmissionOpen && !p.seen && p.staying == 0 {
		p.metrics.submissions.WithLabelValues(resultLost).Inc()
	}
}
