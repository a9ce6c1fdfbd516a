package submission

import (
	"fmt"
	"slices"
	"strings"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/ledger"
)

// own keeps the records of a submission, whatever the service was asked for: those that the answer to its POST named,
// and those with its import id. The service may not keep import ids; the ids of the records are what counts.
func own(records []autopilot.Imported, sub ledger.Submission) []autopilot.Imported {
	ids := make(map[string]bool, len(sub.Items))
	for _, i := range sub.Items {
		ids[i.RecordID] = true
	}
	return slices.DeleteFunc(slices.Clone(records), func(r autopilot.Imported) bool {
		return r.ID == "" || !ids[r.ID] && !strings.EqualFold(r.ImportID, sub.ImportID)
	})
}

// strays are the records that share no more than a serial number with a device of the submission.
func strays(records, ours []autopilot.Imported) map[string][]autopilot.Imported {
	firm := make(map[string]bool, len(ours))
	for _, r := range ours {
		firm[r.ID] = true
	}
	return correlate(slices.DeleteFunc(slices.Clone(records), func(r autopilot.Imported) bool { return firm[r.ID] }))
}

// answered gives each device of an import its records in the answer to the POST, which are those of this import
// whatever import id they show. The devices are as they were sent.
func answered(sent []device.Device, records []autopilot.Imported) map[string][]autopilot.Imported {
	items := make([]ledger.Item, len(sent))
	for i, d := range sent {
		items[i].Device = d.ID
	}
	named := slices.DeleteFunc(slices.Clone(records), func(r autopilot.Imported) bool { return r.ID == "" })
	return match(items, sent, named)
}

// correlate groups the records of one import by the serial number that was sent. The order of an answer means nothing,
// and Autopilot may hold several records of one device; but no two devices of an import were sent with one serial
// number.
func correlate(records []autopilot.Imported) map[string][]autopilot.Imported {
	bySerial := make(map[string][]autopilot.Imported, len(records))
	for _, r := range records {
		bySerial[r.Serial.Fold()] = append(bySerial[r.Serial.Fold()], r)
	}
	return bySerial
}

// match gives each device of a submission its records. A newer capture may have changed a device's serial number since
// it was sent; so a record whose id is known comes first, and brings along whatever else was sent under its serial
// number.
func match(items []ledger.Item, devices []device.Device, records []autopilot.Imported) map[string][]autopilot.Imported {
	bySerial := correlate(records)
	sent := make(map[string]string, len(records))
	for _, r := range records {
		sent[r.ID] = r.Serial.Fold()
	}
	mine := make(map[string][]autopilot.Imported, len(items))
	open := map[string]bool{}
	for _, i := range items {
		if i.RecordID == "" {
			open[i.Device] = true
		} else if serial, ok := sent[i.RecordID]; ok {
			mine[i.Device] = bySerial[serial]
			delete(bySerial, serial)
		}
	}
	guess(mine, open, devices, bySerial)
	return mine
}

// guess matches the open devices, no record of which is known, with what is left by present serial number. Where two of
// them have the same one now, at least one was sent with another: neither gets anything by it. One device and one
// serial number that are left in the end belong together, as the records are those of one import.
func guess(
	mine map[string][]autopilot.Imported,
	open map[string]bool,
	devices []device.Device,
	left map[string][]autopilot.Imported,
) {
	holders := map[string][]string{}
	for _, d := range devices {
		if serial := d.Serial.Fold(); open[d.ID] {
			holders[serial] = append(holders[serial], d.ID)
		}
	}
	take := func(id, serial string) {
		mine[id] = left[serial]
		delete(left, serial)
		delete(open, id)
	}
	for serial, ids := range holders {
		if len(ids) == 1 && len(left[serial]) > 0 {
			take(ids[0], serial)
		}
	}
	if len(open) == 1 && len(left) == 1 {
		for id := range open {
			for serial := range left {
				take(id, serial)
			}
		}
	}
}

// pick returns the registered devices, of those with the device's serial number, that can be the device: the
// manufacturer is the same, and the model if that is needed to tell them apart. What one side does not say parts
// nothing.
func pick(d device.Device, found []autopilot.Identity) []autopilot.Identity {
	var same, exact []autopilot.Identity
	for _, i := range found {
		if i.ID == "" || !i.Serial.Same(d.Serial) || !agree(i.Manufacturer, d.Manufacturer) {
			continue
		}
		same = append(same, i)
		if agree(i.Model, d.Product) {
			exact = append(exact, i)
		}
	}
	if len(same) > 1 && len(exact) > 0 {
		return exact
	}
	return same
}

func agree(a, b string) bool {
	a = strings.TrimSpace(a)
	b = strings.TrimSpace(b)
	return a == "" || b == "" || strings.EqualFold(a, b)
}

// said is Autopilot's answer in words for an operator.
func said(r autopilot.Imported) string {
	name := []rune(r.ErrorName)
	return fmt.Sprintf("Autopilot said %q (%d), status %q.", string(name[:min(len(name), 80)]), r.ErrorCode, r.Status)
}
