package autopilot

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/graph"
)

// Identity is a windowsAutopilotDeviceIdentity: a registered device. Its id is the ZTDID of the Entra device.
type Identity struct {
	ID            string
	Serial        device.Serial
	Manufacturer  string
	Model         string
	GroupTag      string
	User          string // user principal name
	EntraDeviceID string // deviceId of the Entra device, "" until there is one
	Enrolled      bool   // enrolled in Intune
	Profile       ProfileStatus
	ProfileDetail string    // deploymentProfileAssignmentDetailedStatus
	ProfileAt     time.Time // deploymentProfileAssignedDateTime, zero until assigned
}

// ProfileStatus is deploymentProfileAssignmentStatus, which only beta knows.
type ProfileStatus string

// The documented statuses that stand for something other than assigned; those begin with "assigned", one of them
// misspelt.
const (
	ProfileUnknown     ProfileStatus = "unknown"
	ProfileNotAssigned ProfileStatus = "notAssigned"
	ProfilePending     ProfileStatus = "pending"
	ProfileFailed      ProfileStatus = "failed"
)

// ProfileAssigned reports whether a deployment profile is assigned: the status says so and the date is set (Microsoft
// page "Configure Windows Autopilot profiles": the device is ready when it shows a date).
func (i Identity) ProfileAssigned() bool {
	return strings.HasPrefix(string(i.Profile), "assigned") && !i.ProfileAt.IsZero()
}

type identityWire struct {
	ID            string        `json:"id"`
	Serial        string        `json:"serialNumber"`
	Manufacturer  string        `json:"manufacturer"`
	Model         string        `json:"model"`
	GroupTag      string        `json:"groupTag"`
	User          string        `json:"userPrincipalName"`
	EntraOld      guid          `json:"azureActiveDirectoryDeviceId"` // to be deprecated
	Entra         guid          `json:"azureAdDeviceId"`
	Enrollment    string        `json:"enrollmentState"`
	Profile       ProfileStatus `json:"deploymentProfileAssignmentStatus"`
	ProfileDetail string        `json:"deploymentProfileAssignmentDetailedStatus"`
	ProfileAt     instant       `json:"deploymentProfileAssignedDateTime"`
}

func (w identityWire) identity() Identity {
	return Identity{
		ID: w.ID, Serial: device.NewSerial(w.Serial), Manufacturer: w.Manufacturer, Model: w.Model, GroupTag: w.GroupTag,
		User: w.User, EntraDeviceID: string(cmp.Or(w.Entra, w.EntraOld)), Enrolled: w.Enrollment == "enrolled",
		Profile: w.Profile, ProfileDetail: w.ProfileDetail, ProfileAt: w.ProfileAt.Time,
	}
}

// Identities reads registered devices by id (Microsoft page "Get windowsAutopilotDeviceIdentity", beta for the
// profile), twenty to a round trip. Every id has a Lookup.
func (c *Client) Identities(ctx context.Context, ids []string) map[string]Lookup[Identity] {
	requests := make([]graph.Request, len(ids))
	for i, id := range ids {
		requests[i] = graph.Request{Method: http.MethodGet, Path: identityOf(id, "")}
	}
	found := make(map[string]Lookup[Identity], len(ids))
	for i, result := range c.graph.Batch(ctx, graph.Beta, requests) {
		var w identityWire
		err := result.Decode(&w)
		if err == nil && w.ID == "" {
			err = fault.New(fault.GraphUnexpected, "an Autopilot identity without an id")
		}
		found[ids[i]] = Lookup[Identity]{w.identity(), err}
	}
	return found
}

// maxMatches bounds how many devices a search by serial number reads; more than this many serials that contain one
// another are not told apart by searching.
const maxMatches = 5000

// FindBySerial returns the registered devices with exactly this serial number, but for case (Microsoft page "List
// windowsAutopilotDeviceIdentities"). The service can only search for a part of a serial number; what it finds is
// compared here.
func (c *Client) FindBySerial(ctx context.Context, serial device.Serial) ([]Identity, error) {
	part, plain := searchable(serial.Reveal())
	if part == "" {
		return nil, nil
	}
	found, err := c.findBySerial(ctx, serial, part)
	// At times the service has refused hyphens and quotes inside the search text.
	if fault.Is(err, fault.GraphBadRequest) && plain != "" && plain != part {
		return c.findBySerial(ctx, serial, plain)
	}
	return found, err
}

func (c *Client) findBySerial(ctx context.Context, serial device.Serial, part string) ([]Identity, error) {
	r := graph.Request{
		Version: graph.V1, Path: identityPath,
		Query: filter("contains(serialNumber," + quote(part) + ")"),
		Hide:  []string{serial.Reveal(), part},
	}
	var found []Identity
	read := 0
	for w, err := range graph.List(ctx, c.graph, r, func(w identityWire) string { return w.ID }) {
		if err != nil {
			return nil, err
		}
		if read++; read > maxMatches {
			return nil, fault.Newf(fault.GraphUnexpected, "more than %d devices contain the serial number", maxMatches)
		}
		if i := w.identity(); i.Serial.Same(serial) {
			found = append(found, i)
		}
	}
	return found, nil
}

// searchable returns the parts of a serial number to search for: the longest between blanks, which the service cannot
// search for, and the longest of letters and digits only.
func searchable(serial string) (part, plain string) {
	return longest(strings.Fields(serial)), longest(strings.FieldsFunc(serial, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}))
}

func longest(parts []string) string {
	if len(parts) == 0 {
		return ""
	}
	return slices.MaxFunc(parts, func(a, b string) int { return cmp.Compare(len(a), len(b)) })
}

// SetGroupTag gives a registered device a group tag (Microsoft page "updateDeviceProperties action"). Nothing else
// changes. It shows at the Entra device later. Repeating it is safe.
func (c *Client) SetGroupTag(ctx context.Context, id, tag string) error {
	return c.graph.Do(ctx, graph.Request{
		Method: http.MethodPost, Version: graph.V1, Path: identityOf(id, "updateDeviceProperties"),
		Body: map[string]string{"groupTag": tag},
	}, nil)
}

// AssignUser assigns a user to a registered device (Microsoft page "assignUserToDevice action"). The service does not
// check that the user exists; a wrong one can make the device unusable.
func (c *Client) AssignUser(ctx context.Context, id, user, displayName string) error {
	body := map[string]string{"userPrincipalName": user}
	if displayName != "" {
		body["addressableUserName"] = displayName
	}
	return c.graph.Do(ctx, graph.Request{
		Method: http.MethodPost, Version: graph.V1, Path: identityOf(id, "assignUserToDevice"),
		Body: body, Hide: []string{user, displayName},
	}, nil)
}

// SyncPause is how long to wait between two syncs of a tenant. The documented floor is 10 minutes; tools wait 12.5.
const SyncPause = 750 * time.Second

// Sync starts the tenant-wide synchronisation (Microsoft page "sync action", windowsAutopilotSettings, beta only).
// While one runs the error is a fault.GraphConflict; less than ten minutes after the last it is a fault.GraphThrottled,
// which concerns this call only.
func (c *Client) Sync(ctx context.Context) error {
	return c.graph.Do(ctx, graph.Request{
		Method: http.MethodPost, Version: graph.Beta, Path: settingsPath + "/sync", Apart: true,
	}, nil)
}
