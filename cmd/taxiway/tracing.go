package main

import (
	"context"
	"errors"
	"regexp"
	"slices"

	"taxiway.example/pkg/api"
	"taxiway.example/pkg/api/client"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
)

// traceView is devices with their timelines.
type traceView struct {
	Devices []deviceTrace `json:"devices"`
}

type deviceTrace struct {
	api.Device

	Contradicts string           `json:"contradicts,omitempty"` // id of the known device that it is held for
	Timeline    []api.Transition `json:"timeline"`
}

var deviceID = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// traceAll traces the devices that a serial number or an id names, each with the known device that it contradicts
// behind it.
func traceAll(ctx context.Context, server *client.Client, name string) (traceView, error) {
	v := traceView{Devices: []deviceTrace{}}
	devices, err := named(ctx, server, name)
	if err != nil {
		return v, err
	}
	for next := 0; next < len(devices); next++ {
		d := devices[next]
		timeline, err := server.Timeline(ctx, d.ID)
		if err != nil {
			return v, err
		}
		known := ""
		if d.State == device.Held {
			known = device.KnownSide(d.Detail)
		}
		v.Devices = append(v.Devices, deviceTrace{d, known, timeline})
		if known == "" || slices.ContainsFunc(devices, func(o api.Device) bool { return o.ID == known }) {
			continue
		}
		found, err := byID(ctx, server, known)
		if err != nil {
			return v, err
		}
		devices = slices.Insert(devices, next+1, found...)
	}
	return v, nil
}

// named returns the devices with an id or a serial number. Some serial numbers have the form of an id.
func named(ctx context.Context, server *client.Client, name string) ([]api.Device, error) {
	if deviceID.MatchString(name) {
		if found, err := byID(ctx, server, name); err != nil || len(found) > 0 {
			return found, err
		}
	}
	return server.BySerial(ctx, name)
}

// byID returns the device with an id, or none.
func byID(ctx context.Context, server *client.Client, id string) ([]api.Device, error) {
	d, err := server.Device(ctx, id)
	if p, ok := errors.AsType[*client.Problem](err); ok && p.Code == fault.RequestNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return []api.Device{d}, nil
}
