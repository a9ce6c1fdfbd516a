package client

import (
	"context"
	"net/url"

	"taxiway.example/pkg/api"
)

// BySerial returns the devices with a serial number, newest first, at most 50; none is no error. Upper and lower case,
// and blanks around it, make no difference.
func (c *Client) BySerial(ctx context.Context, serial string) ([]api.Device, error) {
	var out struct {
		Devices []api.Device `json:"devices"`
	}
	err := c.get(ctx, "/v1/devices", url.Values{"serial": {serial}}, &out)
	return out.Devices, err
}

// Device returns the device with an id; an unknown one is a [*Problem] with fault.RequestNotFound.
func (c *Client) Device(ctx context.Context, id string) (api.Device, error) {
	var out api.Device
	err := c.get(ctx, "/v1/devices/"+url.PathEscape(id), nil, &out)
	return out, err
}

// Timeline returns the transitions of a device, oldest first; an unknown one is a [*Problem] with
// fault.RequestNotFound.
func (c *Client) Timeline(ctx context.Context, id string) ([]api.Transition, error) {
	var out struct {
		Transitions []api.Transition `json:"transitions"`
	}
	err := c.get(ctx, "/v1/devices/"+url.PathEscape(id)+"/timeline", nil, &out)
	return out.Transitions, err
}

// Release sends a held device on its way again, from the start, and returns it as it is then. It needs an operator's
// key of the tenant and a reason of at most 255 bytes, which the audit keeps. A device that is not held is a [*Problem]
// with fault.DeviceWrongState, one that is still contradicted one with fault.DeviceContradictionStands.
func (c *Client) Release(ctx context.Context, id string, d api.Release) (api.Device, error) {
	return decide[api.Device](ctx, c, id, "release", d)
}

// Retire takes a device out of service and returns it as it is then; nothing is done at Microsoft. It needs what
// [Client.Release] does. A device whose import is under way, or that is retired, is a [*Problem] with
// fault.DeviceWrongState.
func (c *Client) Retire(ctx context.Context, id string, d api.Decision) (api.Device, error) {
	return decide[api.Device](ctx, c, id, "retire", d)
}

// Replace retires a device and releases the one that is held against it, d.With, in one step. It needs what
// [Client.Release] does. A device that is not held against the other is a [*Problem] with fault.DeviceNotInConflict.
func (c *Client) Replace(ctx context.Context, id string, d api.Replace) (api.Replacement, error) {
	return decide[api.Replacement](ctx, c, id, "replace", d)
}

// Change gives a device another group tag or user and returns it as it is then; it is followed to ready again. It needs
// what [Client.Release] does. What the tenant's rules decide otherwise is a [*Problem] with fault.DeviceDiffers.
func (c *Client) Change(ctx context.Context, id string, d api.Change) (api.Device, error) {
	return decide[api.Device](ctx, c, id, "change", d)
}

func decide[T any](ctx context.Context, c *Client, id, what string, d any) (T, error) {
	var out T
	err := c.post(ctx, "/v1/devices/"+url.PathEscape(id)+"/"+what, d, &out)
	return out, err
}
