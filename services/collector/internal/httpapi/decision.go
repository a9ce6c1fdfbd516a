package httpapi

import (
	"net/http"

	"taxiway.example/pkg/access"
	"taxiway.example/pkg/api"
	"taxiway.example/pkg/deadletter"
	"taxiway.example/pkg/fault"
)

// release sends a held device on its way again.
func (a *API) release(w http.ResponseWriter, r *http.Request, p access.Principal) error {
	return decide(a, w, r, "reason", func(req api.Release) (any, error) {
		d, err := a.DeadLetters.Release(r.Context(), decider(p), decisionOf(r, req.Decision), req.BothExist)
		return viewOfDevice(d), about(r.PathValue("id"), err)
	})
}

// retire takes a device out of service.
func (a *API) retire(w http.ResponseWriter, r *http.Request, p access.Principal) error {
	return decide(a, w, r, "reason", func(req api.Decision) (any, error) {
		d, err := a.DeadLetters.Retire(r.Context(), decider(p), decisionOf(r, req))
		return viewOfDevice(d), about(r.PathValue("id"), err)
	})
}

// replace retires a device and releases the one that is held against it.
func (a *API) replace(w http.ResponseWriter, r *http.Request, p access.Principal) error {
	return decide(a, w, r, "with and reason", func(req api.Replace) (any, error) {
		both, err := a.DeadLetters.Replace(r.Context(), decider(p), decisionOf(r, req.Decision), req.With)
		subject := req.With
		if fault.Is(err, fault.DeviceWrongState) {
			subject = r.PathValue("id")
		}
		view := api.Replacement{Retired: viewOfDevice(both.Retired), Released: viewOfDevice(both.Released)}
		return view, about(subject, err)
	})
}

func decisionOf(r *http.Request, d api.Decision) deadletter.Decision {
	return deadletter.Decision{Device: r.PathValue("id"), Reason: d.Reason, DryRun: d.DryRun}
}

// about names the device whose state refuses a decision.
func about(id string, err error) error {
	if err == nil || fault.KindOf(err) != fault.Conflict {
		return err
	}
	return refuse(err, func(to *refusal) { to.device = id })
}

// decide reads a request and answers with what how decided.
func decide[T any](a *API, w http.ResponseWriter, r *http.Request, members string, how func(T) (any, error)) error {
	var req T
	if err := a.readJSON(w, r, &req, members); err != nil {
		return err
	}
	view, err := how(req)
	if err != nil {
		return err
	}
	a.writeJSON(w, r, http.StatusOK, "application/json", view)
	return nil
}
