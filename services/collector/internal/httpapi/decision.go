package httpapi

import (
	"context"
	"net/http"

	"taxiway.example/pkg/access"
	"taxiway.example/pkg/api"
	"taxiway.example/pkg/deadletter"
	"taxiway.example/pkg/device"
)

// release sends a held device on its way again.
func (a *API) release(w http.ResponseWriter, r *http.Request, p access.Principal) error {
	return a.decide(w, r, p, a.DeadLetters.Release)
}

// retire takes a device out of service.
func (a *API) retire(w http.ResponseWriter, r *http.Request, p access.Principal) error {
	return a.decide(w, r, p, a.DeadLetters.Retire)
}

// decision is a method of deadletter.Service that changes a device for a reason.
type decision func(ctx context.Context, by deadletter.Operator, id, reason string) (device.Device, error)

func (a *API) decide(w http.ResponseWriter, r *http.Request, p access.Principal, how decision) error {
	var req api.Decision
	if err := a.readJSON(w, r, &req, "reason"); err != nil {
		return err
	}
	d, err := how(r.Context(), decider(p), r.PathValue("id"), req.Reason)
	if err != nil {
		return err
	}
	a.writeJSON(w, r, http.StatusOK, "application/json", viewOfDevice(d))
	return nil
}
