package client

import (
	"context"
	"net/url"

	"taxiway.example/pkg/api"
)

// BySerial returns the devices with a serial number, newest first.
func (c *Client) BySerial(ctx context.Context, serial string) ([]api.Device, error) {
	var out struct {
		Devices []api.Device `json:"devices"`
	}
	err := c.get(ctx, "/v1/devices", url.Values{"serial": {serial}}, &out)
	return out.Devices, err
}

// Device returns the device with an id.
func (c *Client) Device(ctx context.Context, id string) (api.Device, error) {
	var out api.Device
	err := c.get(ctx, "/v1/devices/"+url.PathEscape(id), nil, &out)
	return out, err
}

// Timeline returns what happened to a device, oldest first.
func (c *Client) Timeline(ctx context.Context, id string) ([]api.Transition, error) {
	var out struct {
		Transitions []api.Transition `json:"transitions"`
	}
	err := c.get(ctx, "/v1/devices/"+url.PathEscape(id)+"/timeline", nil, &out)
	return out.Transitions, err
}

// Release sends a held device on its way again and returns it.
func (c *Client) Release(ctx context.Context, id, reason string) (api.Device, error) {
	return c.decide(ctx, id, "release", reason)
}

// Retire takes a held or ready device out of service and returns it.
func (c *Client) Retire(ctx context.Context, id, reason string) (api.Device, error) {
	return c.decide(ctx, id, "retire", reason)
}

func (c *Client) decide(ctx context.Context, id, what, reason string) (api.Device, error) {
	var out api.Device
	err := c.post(ctx, "/v1/devices/"+url.PathEscape(id)+"/"+what, api.Decision{Reason: reason}, &out)
	return out, err
}
