package httpapi

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"taxiway.example/pkg/access"
	"taxiway.example/pkg/api"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
	"taxiway.example/services/collector/internal/collect"
)

// getBatch answers how a batch is doing. Its ETag changes when anything about it does.
func (a *API) getBatch(w http.ResponseWriter, r *http.Request, p access.Principal) error {
	status, err := a.Reader.Batch(r.Context(), p.Tenant.ID, r.PathValue("id"))
	if err != nil {
		return err
	}
	view := viewOfBatch(status)
	if !view.Done {
		setRetryAfter(w, a.config.Poll)
	}
	return a.writeTagged(w, r, view)
}

// findBatches answers with the batch of an idempotency key, or of a message from a queue.
func (a *API) findBatches(w http.ResponseWriter, r *http.Request, p access.Principal) error {
	q := r.URL.Query()
	key := q.Get("idempotencyKey")
	queue := q.Get("queue")
	message := q.Get("message")
	switch {
	case key == "" && queue != "" && message != "":
		key = collect.QueueKey(queue, message)
	case key == "" || queue != "" || message != "":
		return fault.New(fault.RequestInvalid, "Name the idempotencyKey, or the queue and the message.")
	}
	found := struct {
		Batches []api.Batch `json:"batches"`
	}{Batches: []api.Batch{}}
	switch status, err := a.Reader.BatchByKey(r.Context(), p.Tenant.ID, key); {
	case err == nil:
		found.Batches = append(found.Batches, viewOfBatch(status))
	case fault.KindOf(err) != fault.NotFound:
		return err
	}
	a.writeJSON(w, r, http.StatusOK, "application/json", found)
	return nil
}

// writeTagged answers with a value and its ETag, or with 304 when the client has it.
func (a *API) writeTagged(w http.ResponseWriter, r *http.Request, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	tag := `"` + hex.EncodeToString(sum[:12]) + `"`
	w.Header().Set("ETag", tag)
	for given := range strings.SplitSeq(r.Header.Get("If-None-Match"), ",") {
		if given = strings.TrimPrefix(strings.TrimSpace(given), "W/"); given == tag || given == "*" {
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	a.writeJSON(w, r, http.StatusOK, "application/json", json.RawMessage(body))
	return nil
}

// getDevice answers with a device.
func (a *API) getDevice(w http.ResponseWriter, r *http.Request, p access.Principal) error {
	d, err := a.device(r, p)
	if err != nil {
		return err
	}
	view := viewOfDevice(d)
	if d.State.InFlight() {
		setRetryAfter(w, a.config.Poll)
	}
	return a.writeTagged(w, r, view)
}

// device returns the device of the path. One of another tenant is as unknown as one that does not exist.
func (a *API) device(r *http.Request, p access.Principal) (device.Device, error) {
	found, err := a.Reader.Devices(r.Context(), p.Tenant.ID, []string{r.PathValue("id")})
	if err != nil {
		return device.Device{}, err
	}
	if len(found) == 0 {
		return device.Device{}, fault.New(fault.RequestNotFound, "There is no such device.")
	}
	return found[0], nil
}

// findDevices answers with the devices that have a serial number.
func (a *API) findDevices(w http.ResponseWriter, r *http.Request, p access.Principal) error {
	serial := device.NewSerial(r.URL.Query().Get("serial"))
	if serial.IsZero() {
		return fault.New(fault.RequestInvalid, "The parameter serial is missing.")
	}
	found, err := a.Reader.BySerial(r.Context(), p.Tenant.ID, serial)
	if err != nil {
		return err
	}
	views := make([]api.Device, 0, len(found))
	for _, d := range found {
		views = append(views, viewOfDevice(d))
	}
	a.writeJSON(w, r, http.StatusOK, "application/json", struct {
		Devices []api.Device `json:"devices"`
	}{views})
	return nil
}

// getTimeline answers with what happened to a device.
func (a *API) getTimeline(w http.ResponseWriter, r *http.Request, p access.Principal) error {
	d, err := a.device(r, p)
	if err != nil {
		return err
	}
	transitions, err := a.Reader.Timeline(r.Context(), p.Tenant.ID, d.ID)
	if err != nil {
		return err
	}
	views := make([]api.Transition, 0, len(transitions))
	for _, t := range transitions {
		views = append(views, viewOfTransition(t))
	}
	a.writeJSON(w, r, http.StatusOK, "application/json", struct {
		Device      string           `json:"device"`
		Transitions []api.Transition `json:"transitions"`
	}{d.ID, views})
	return nil
}

// checkURL refuses what no ledger can look for: text that is no UTF-8, or holds NUL. A query that cannot be read is
// refused as a whole, instead of going on without the parameter that was meant.
func checkURL(u *url.URL) error {
	q, err := url.ParseQuery(u.RawQuery)
	switch {
	case err != nil:
		return fault.New(fault.RequestInvalid, "The query is not what a URL may hold.")
	case !ledger.IsText(u.Path):
		return fault.New(fault.RequestInvalid, "The path must be UTF-8 without NUL.")
	}
	for _, values := range q {
		if !ledger.IsText(values...) {
			return fault.New(fault.RequestInvalid, "The query must be UTF-8 without NUL.")
		}
	}
	return nil
}

// number reads a parameter that is a number from least to most; without the parameter it is fallback.
func number(q url.Values, name string, fallback, least, most int) (int, error) {
	text := q.Get(name)
	if text == "" {
		return fallback, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, fault.Newf(
			fault.RequestInvalid,
			"The parameter %s must be a number from %d to %d.",
			name,
			least,
			most,
		)
	}
	return n, nil
}
