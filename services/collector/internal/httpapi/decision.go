package httpapi

import (
	"net/http"

	"taxiway.example/pkg/access"
	"taxiway.example/pkg/api"
	"taxiway.example/pkg/deadletter"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/tenant"
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

// change gives a device another group tag or user.
func (a *API) change(w http.ResponseWriter, r *http.Request, p access.Principal) error {
	return decide(a, w, r, "reason", func(req api.Change) (any, error) {
		asked, err := a.request(r, p, req)
		if err != nil {
			return nil, err
		}
		d, err := a.DeadLetters.Change(r.Context(), decider(p), decisionOf(r, req.Decision), asked)
		return viewOfDevice(d), about(r.PathValue("id"), err)
	})
}

// request checks what is asked for a device by the tenant's policy and rules.
func (a *API) request(r *http.Request, p access.Principal, req api.Change) (device.Request, error) {
	asked := device.Request{GroupTag: req.GroupTag, User: req.User}
	if asked == (device.Request{}) {
		return asked, fault.New(fault.RequestInvalid, "Name a groupTag, an assignedUser, or both.")
	}
	for _, v := range a.rules.CheckRequest(r.Context(), p.Tenant.Policy, req.GroupTag, req.User) {
		return asked, fault.Newf(fault.RequestInvalid, "%s: %s %s", v.Column, v.Code, v.Detail)
	}
	d, err := a.device(r, p)
	if err != nil {
		return asked, err
	}
	tag := p.Tenant.TagFor(tenant.SubjectOf(d.Identifiers, d.Source, req.GroupTag))
	if req.GroupTag != "" && tag != req.GroupTag {
		asked.Ruled = tag
	}
	return asked, nil
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
