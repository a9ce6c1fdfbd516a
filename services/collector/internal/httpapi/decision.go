package httpapi

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"

	"taxiway.example/pkg/api"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/telemetry"
)

// decision is what a person does with a device that no service can go on with.
type decision struct {
	action string
	can    func(device.State) bool
	to     device.State
	refuse string // of a device in another state
}

var (
	releasing = decision{
		"device.release", func(s device.State) bool { return s == device.Held }, device.Collected,
		"Only a held device can be released; this one is %s.",
	}
	retiring = decision{
		"device.retire", func(s device.State) bool { return s != device.Retired && s.CanBecome(device.Retired) }, device.Retired,
		"A device cannot be retired while it is %s.",
	}
)

// release sends a held device on its way again, from the start.
func (a *API) release(w http.ResponseWriter, r *http.Request, p principal) error {
	return a.decide(w, r, p, releasing)
}

// retire takes a device out of service: its evidence contradicts no other device any more. Nothing is done at Microsoft.
func (a *API) retire(w http.ResponseWriter, r *http.Request, p principal) error {
	return a.decide(w, r, p, retiring)
}

func (a *API) decide(w http.ResponseWriter, r *http.Request, p principal, how decision) error {
	reason, err := a.readReason(w, r)
	if err != nil {
		return err
	}
	d, err := a.device(r, p)
	if err != nil {
		return err
	}
	if !how.can(d.State) {
		return fault.Newf(fault.DeviceWrongState, how.refuse, d.State)
	}
	m := ledger.Move{Tenant: p.tenant.ID, Device: d.ID, Version: d.Version, To: how.to, By: actor(p)}
	if how.to == device.Collected {
		m.Due = a.Now().UTC()
	}
	applied, err := a.Desk.Move(r.Context(), m)
	switch {
	case err != nil:
		return err
	case !applied[0]:
		return fault.New(fault.DeviceWrongState, "Somebody else has changed the device meanwhile.")
	}
	audit, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), writing) // though the client may be gone
	defer cancel()
	err = a.Desk.Append(audit, ledger.AuditEntry{
		At: a.Now().UTC(), Tenant: p.tenant.ID, Actor: actor(p), Action: how.action, Object: d.ID, Reason: reason, Outcome: string(how.to),
	})
	if err != nil { // what was decided stands; the timeline says by whom
		a.Logger.LogAttrs(r.Context(), slog.LevelError, "audit entry lost", slog.String("object", d.ID), slog.Any(telemetry.KeyError, err))
	}
	if d, err = a.device(r, p); err != nil {
		return err
	}
	a.writeJSON(w, r, http.StatusOK, "application/json", viewOfDevice(d))
	return nil
}

func (a *API) readReason(w http.ResponseWriter, r *http.Request) (string, error) {
	var req api.Decision
	if err := a.readJSON(w, r, &req, "reason"); err != nil {
		return "", err
	}
	req.Reason = strings.TrimSpace(req.Reason)
	if req.Reason == "" || len(req.Reason) > maxText || !isText(req.Reason) {
		return "", fault.Newf(fault.RequestInvalid, "Say why in reason, in at most %d bytes.", maxText)
	}
	return req.Reason, nil
}

// readJSON reads a small JSON object that has the members named and no other.
func (a *API) readJSON(w http.ResponseWriter, r *http.Request, to any, members string) error {
	if err := checkType(r, []string{"application/json"}); err != nil {
		return err
	}
	content, err := a.newBody(w, r, a.config.MaxDevice, a.config.MaxDevice)
	if err != nil {
		return err
	}
	dec := json.NewDecoder(content)
	dec.DisallowUnknownFields()
	if err := dec.Decode(to); err != nil {
		return fault.Wrap(err, fault.RequestInvalid, "The body must be a JSON object with "+members+".")
	}
	return nil
}
