package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/fault"
)

// trial is one import of two made-up devices.
type trial struct {
	*probe
	importID string
	devices  []autopilot.ImportDevice
}

// try imports two devices, watches them and removes them.
func (p *probe) try(ctx context.Context) error {
	devices, err := madeUp(2)
	if err != nil {
		return err
	}
	t := &trial{probe: p, importID: uuid.NewString(), devices: devices}
	p.say("importing %s with group tag %s", t.serials(), groupTag)
	var answered []autopilot.Imported
	err = p.patient(ctx, func() error {
		answered, err = p.autopilot.Import(ctx, devices, t.importID)
		return err
	})
	if err != nil && !fault.Is(err, fault.GraphUnknownOutcome) {
		p.table.set(removed, "nothing", "the import was refused")
		p.table.set(leftBehind, "nothing", "")
		return err
	}
	t.answered(answered)
	if err == nil {
		err = t.watch(ctx)
	}
	if err != nil {
		p.say("removing what was made, after: %v", err)
	}
	return errors.Join(err, t.remove(context.WithoutCancel(ctx)))
}

// watch sees how the devices get on.
func (t *trial) watch(ctx context.Context) error {
	var mine []entry
	took, there, err := t.until(ctx, func() (bool, error) {
		var err error
		mine, err = t.mine(ctx)
		return len(mine) == len(t.devices), err
	})
	t.timed(recordVisible, took, there, "")
	if err != nil || !there {
		return err
	}
	t.identify(ctx, mine)
	took, there, err = t.until(ctx, func() (bool, error) {
		var err error
		mine, err = t.mine(ctx)
		return done(mine), err
	})
	t.timed(outcomeKnown, took, there, outcomes(mine))
	if err != nil || !there {
		return err
	}
	return t.visible(ctx, registrations(mine))
}

// timed answers how long something took.
func (p *probe) timed(question string, took time.Duration, there bool, seen string) {
	says := took.Round(time.Millisecond).String()
	if !there {
		says = "not within " + says
	}
	p.table.set(question, says, "%s", seen)
}

// mine are the import records of the devices, by a list without a filter.
func (t *trial) mine(ctx context.Context) (mine []entry, err error) {
	_, err = t.list(ctx, request(recordsPath, nil), func(e entry) {
		if t.has(e) {
			mine = append(mine, e)
		}
	})
	return mine, err
}

func (t *trial) answered(records []autopilot.Imported) {
	var all []entry
	for _, r := range records {
		all = append(all, entry{ID: r.ID, ImportID: r.ImportID})
	}
	if len(all) == 0 {
		t.table.set(idAnswered, "no answer", "")
		return
	}
	t.table.set(idAnswered, t.kept(all), "%d import records for %d devices", len(all), len(t.devices))
}

// kept says what became of the import id in records.
func (t *trial) kept(records []entry) string {
	own, kept := 0, 0
	for _, r := range records {
		if strings.EqualFold(r.ImportID, t.importID) {
			kept++
		}
		if r.ImportID != "" && strings.EqualFold(r.ImportID, r.ID) {
			own++
		}
	}
	switch len(records) {
	case kept:
		return "yes"
	case own:
		return "no, it is the record's id"
	}
	return "no"
}

// identify sees by what the records can be told from others.
func (t *trial) identify(ctx context.Context, mine []entry) {
	t.table.set(idKept, t.kept(mine), "in the list")
	shown := mine[0].ImportID
	sharing := 0
	for _, r := range mine {
		if shown != "" && strings.EqualFold(r.ImportID, shown) {
			sharing++
		}
	}
	t.table.set(idShared, map[bool]string{true: "yes", false: "no"}[sharing > 1], "by %d import records", sharing)
	t.filterable(ctx, shown, sharing)
	r := request(recordsPath+"/"+url.PathEscape(mine[0].ID), nil)
	r.Method = http.MethodGet
	err := t.patient(ctx, func() error { return t.graph.Do(ctx, r, nil) })
	if err != nil {
		t.table.set(recordByID, "no", "%s", reason(err))
		return
	}
	t.table.set(recordByID, "yes", "")
}

// visible waits until the registered devices can be read, by id and by serial number.
func (t *trial) visible(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		t.table.set(deviceByID, "not asked", "no device was registered")
		t.table.set(deviceBySerial, "not asked", "no device was registered")
		return nil
	}
	took, there, err := t.until(ctx, func() (bool, error) { return t.readable(ctx, ids) })
	t.timed(deviceByID, took, there, "after the outcome was known")
	if err != nil {
		return err
	}
	more, there, err := t.until(ctx, func() (bool, error) {
		found, err := t.bySerial(ctx)
		return len(found) >= len(ids), err
	})
	t.timed(deviceBySerial, took+more, there, "after the outcome was known")
	t.oneByOne(ctx) // now there are two devices at least
	return err
}
