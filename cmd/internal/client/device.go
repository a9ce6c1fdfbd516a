package client

import (
	"context"
	"net/url"
	"time"

	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
)

// Device is a device as its tenant may see it.
type Device struct {
	ID             string       `json:"id"`
	Serial         string       `json:"serialNumber"`
	Manufacturer   string       `json:"manufacturer"`
	Model          string       `json:"model"`
	Evidence       string       `json:"evidence"`
	GroupTag       string       `json:"groupTag,omitempty"`
	User           string       `json:"assignedUser,omitempty"`
	Batch          string       `json:"batch"`
	Row            int          `json:"row"`
	State          ledger.State `json:"state"`
	Code           fault.Code   `json:"code,omitempty"`
	Title          string       `json:"title,omitempty"`
	Detail         string       `json:"detail,omitempty"`
	Hint           string       `json:"hint,omitempty"`
	Attempts       int          `json:"attempts"`
	Due            *time.Time   `json:"due,omitempty"`
	Tag            string       `json:"confirmedGroupTag,omitempty"`
	RegistrationID string       `json:"registrationId,omitempty"`
	EntraDeviceID  string       `json:"entraDeviceId,omitempty"`
	Conflict       bool         `json:"conflict,omitempty"`
	Captured       *time.Time   `json:"captured,omitempty"`
	Created        time.Time    `json:"created"`
	Updated        time.Time    `json:"updated"`
}

// Transition is a step of a device.
type Transition struct {
	At      time.Time    `json:"at"`
	From    ledger.State `json:"from,omitempty"`
	To      ledger.State `json:"to"`
	Code    fault.Code   `json:"code,omitempty"`
	Title   string       `json:"title,omitempty"`
	Detail  string       `json:"detail,omitempty"`
	By      string       `json:"by"`
	Attempt int          `json:"attempt"`
}

// BySerial returns the devices with a serial number, newest first.
func (c *Client) BySerial(ctx context.Context, serial string) ([]Device, error) {
	var out struct {
		Devices []Device `json:"devices"`
	}
	err := c.get(ctx, "/v1/devices", url.Values{"serial": {serial}}, &out)
	return out.Devices, err
}

// Timeline returns what happened to a device, oldest first.
func (c *Client) Timeline(ctx context.Context, id string) ([]Transition, error) {
	var out struct {
		Transitions []Transition `json:"transitions"`
	}
	err := c.get(ctx, "/v1/devices/"+url.PathEscape(id)+"/timeline", nil, &out)
	return out.Transitions, err
}
