package main

import (
	"context"
	"fmt"
	"strings"

	"taxiway.example/pkg/fault"
)

// done reports whether every record has an outcome, and there is one.
func done(records []entry) bool {
	for _, r := range records {
		if !r.State.Status.Done() {
			return false
		}
	}
	return len(records) > 0
}

// outcomes are the outcomes of records, in words.
func outcomes(records []entry) string {
	var all []string
	for _, r := range records {
		text := string(r.State.Status)
		if r.State.ErrorName != "" {
			text += fmt.Sprintf(" (%v %s)", r.State.ErrorCode, r.State.ErrorName)
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

// registrations are the ids of the devices that records have led to.
func registrations(records []entry) (ids []string) {
	for _, r := range records {
		if strings.Trim(r.State.RegistrationID, "0-") != "" {
			ids = append(ids, r.State.RegistrationID)
		}
	}
	return ids
}

// readable reports whether all devices can be read by their ids.
func (p *probe) readable(ctx context.Context, ids []string) (bool, error) {
	for _, found := range p.autopilot.Identities(ctx, ids) {
		if fault.Is(found.Err, fault.GraphNotFound) {
			return false, nil
		}
		if found.Err != nil {
			return false, found.Err
		}
	}
	return true, nil
}

// bySerial are the ids of the trial's devices that a search by serial number finds.
func (t *trial) bySerial(ctx context.Context) (ids []string, err error) {
	for _, d := range t.devices {
		err := t.patient(ctx, func() error {
			found, err := t.autopilot.FindBySerial(ctx, d.Serial)
			for _, device := range found {
				ids = append(ids, device.ID)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return ids, nil
}
