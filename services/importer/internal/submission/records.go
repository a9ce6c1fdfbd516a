package submission

import (
	"fmt"
	"strings"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/ledger"
)

// own keeps the records that carry the submission's import id, whatever the service was asked for.
func own(records []autopilot.Imported, sub ledger.Submission) []autopilot.Imported {
	var ours []autopilot.Imported
	for _, r := range records {
		if r.ID != "" && strings.EqualFold(r.ImportID, sub.ImportID) {
			ours = append(ours, r)
		}
	}
	return ours
}

// correlate groups the records of one import by serial number. The order of an answer means nothing, and Autopilot may hold
// several records of one device; but no two devices of a submission share a serial number.
func correlate(records []autopilot.Imported) map[string][]autopilot.Imported {
	bySerial := make(map[string][]autopilot.Imported, len(records))
	for _, r := range records {
		bySerial[r.Serial.Fold()] = append(bySerial[r.Serial.Fold()], r)
	}
	return bySerial
}

// pick returns the registered devices, of those with the device's serial number, that can be the device: the manufacturer is
// the same, and the model if that is needed to tell them apart. What one side does not say parts nothing.
func pick(d ledger.Device, found []autopilot.Identity) []autopilot.Identity {
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
	a, b = strings.TrimSpace(a), strings.TrimSpace(b)
	return a == "" || b == "" || strings.EqualFold(a, b)
}

// said is Autopilot's answer in words for an operator.
func said(r autopilot.Imported) string {
	name := []rune(r.ErrorName)
	return fmt.Sprintf("Autopilot said %q (%d), status %q.", string(name[:min(len(name), 80)]), r.ErrorCode, r.Status)
}
