package autopilot

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/graph"
	"taxiway.example/pkg/hwhash"
)

// MaxImport is the most devices one import call may carry. Microsoft documents no limit of the call; the portal takes
// 500 rows a file (Microsoft page "Manually register devices with Windows Autopilot").
const MaxImport = 500

// ImportDevice is a device to be imported.
type ImportDevice struct {
	Serial       device.Serial
	ProductKeyID device.ProductKeyID // optional
	Hash         hwhash.Hash
	GroupTag     string // optional
	User         string // optional; user principal name
}

// ImportStatus is deviceImportStatus. Values that nobody has documented count as in flight.
type ImportStatus string

// The documented statuses. While the service works the value is unknown, not pending.
const (
	StatusUnknown  ImportStatus = "unknown"
	StatusPending  ImportStatus = "pending"
	StatusPartial  ImportStatus = "partial"
	StatusComplete ImportStatus = "complete"
	StatusError    ImportStatus = "error"
)

// Done reports whether the status is final.
func (s ImportStatus) Done() bool { return s == StatusComplete || s == StatusError }

// Imported is an importedWindowsAutopilotDeviceIdentity: the job record of one imported device.
type Imported struct {
	ID             string
	ImportID       string
	Serial         device.Serial
	GroupTag       string
	Status         ImportStatus
	RegistrationID string // id of the windowsAutopilotDeviceIdentity, once complete
	ErrorCode      int
	ErrorName      string
}

// Meaning returns what the record says became of the device; see MeaningOf. A record in flight means MeaningInFlight.
func (i Imported) Meaning() Meaning {
	if !i.Status.Done() {
		return MeaningInFlight
	}
	m := MeaningOf(i.ErrorName, i.ErrorCode)
	if (m == MeaningRegistered) != (i.Status == StatusComplete) {
		return MeaningUnknown // status and code contradict one another
	}
	return m
}

const importedType = "#microsoft.graph.importedWindowsAutopilotDeviceIdentity"

// submittedWire is a device as the import action takes it. It holds secrets and is never logged.
type submittedWire struct {
	Type       string `json:"@odata.type"`
	ImportID   string `json:"importId"`
	Serial     string `json:"serialNumber"`
	ProductKey string `json:"productKey,omitempty"`
	Hash       string `json:"hardwareIdentifier"`
	GroupTag   string `json:"groupTag,omitempty"`
	User       string `json:"assignedUserPrincipalName,omitempty"`
}

// importedWire is a record as the service answers it.
type importedWire struct {
	ID       string `json:"id"`
	ImportID string `json:"importId"`
	Serial   string `json:"serialNumber"`
	GroupTag string `json:"groupTag"`
	State    struct {
		Status         ImportStatus `json:"deviceImportStatus"`
		RegistrationID guid         `json:"deviceRegistrationId"`
		ErrorCode      number       `json:"deviceErrorCode"`
		ErrorName      string       `json:"deviceErrorName"`
	} `json:"state"`
}

func (w importedWire) imported() Imported {
	return Imported{
		ID: w.ID, ImportID: w.ImportID, Serial: device.NewSerial(w.Serial), GroupTag: w.GroupTag, Status: w.State.Status,
		RegistrationID: string(w.State.RegistrationID), ErrorCode: int(w.State.ErrorCode), ErrorName: w.State.ErrorName,
	}
}

// Import creates the job records of up to MaxImport devices under one import id, in one call (Microsoft page "import
// action", Intune enrollment). The records come back in any order; match them by serial number. Their ids are what
// finds them later, as nothing documents that the service keeps the import id. Outcomes come later: see Imported. A
// fault.GraphUnknownOutcome means that the import must be looked for before anything is sent again.
func (c *Client) Import(ctx context.Context, devices []ImportDevice, importID string) ([]Imported, error) {
	if len(devices) == 0 || len(devices) > MaxImport {
		return nil, fault.Newf(
			fault.GraphBadRequest,
			"an import of %d devices, 1 to %d are possible",
			len(devices),
			MaxImport,
		)
	}
	r := graph.Request{Method: http.MethodPost, Version: graph.V1, Path: importedPath + "/import"}
	body := make([]submittedWire, len(devices))
	for i, d := range devices {
		body[i] = submittedWire{
			Type: importedType, ImportID: importID, Serial: d.Serial.Reveal(), ProductKey: d.ProductKeyID.Reveal(),
			Hash: d.Hash.Wire(), GroupTag: d.GroupTag, User: d.User,
		}
		r.Hide = append(r.Hide, body[i].Serial, body[i].ProductKey, body[i].User)
	}
	r.Body = map[string][]submittedWire{"importedWindowsAutopilotDeviceIdentities": body}
	var answer struct {
		Value []importedWire `json:"value"`
	}
	if err := c.graph.Do(ctx, r, &answer); err != nil {
		return nil, err
	}
	if len(answer.Value) == 0 {
		return nil, fault.New(fault.GraphUnknownOutcome, "the import was accepted and its answer names no records")
	}
	records := make([]Imported, len(answer.Value))
	for i, w := range answer.Value {
		records[i] = w.imported()
		if !strings.EqualFold(w.ImportID, importID) {
			c.scan.Store(true) // the service does not keep import ids: there is nothing to filter by
		}
	}
	return records, nil
}

// DeleteImported deletes job records, never devices (Microsoft page "Delete importedWindowsAutopilotDeviceIdentity").
// It returns the ids that are gone, those that were gone before included, and what kept the others.
func (c *Client) DeleteImported(ctx context.Context, ids ...string) (gone []string, err error) {
	requests := make([]graph.Request, len(ids))
	for i, id := range ids {
		requests[i] = graph.Request{Method: http.MethodDelete, Path: importedPath + "/" + url.PathEscape(id)}
	}
	var kept []error
	for i, result := range c.graph.Batch(ctx, graph.V1, requests) {
		if result.Err == nil || fault.Is(result.Err, fault.GraphNotFound) {
			gone = append(gone, ids[i])
		} else {
			kept = append(kept, result.Err)
		}
	}
	return gone, errors.Join(kept...)
}
