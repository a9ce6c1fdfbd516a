package httpapi

import (
	"mime"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"taxiway.example/pkg/access"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/intake"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/oemfile"
	"taxiway.example/services/collector/internal/answer"
	"taxiway.example/services/collector/internal/collect"
)

// csvTypes are the media types under which device lists are sent. Browsers on Windows call CSV an Excel file.
var csvTypes = []string{
	"text/csv",
	"application/csv",
	"application/octet-stream",
	"text/plain",
	"application/vnd.ms-excel",
}

// postBatch takes in a device list.
func (a *API) postBatch(w http.ResponseWriter, r *http.Request, p access.Principal) error {
	if err := checkType(r, csvTypes); err != nil {
		return err
	}
	d, err := newDelivery(r, p)
	if err != nil {
		return err
	}
	done, err := a.limits.upload(p.ID())
	if err != nil {
		return err
	}
	defer done()
	content, err := a.newBody(w, r, a.config.MaxBody, a.config.MaxInflated)
	if err != nil {
		return err
	}
	file, err := oemfile.Open(content, oemfile.Options{MaxRows: a.config.MaxRows})
	if err != nil {
		return err
	}
	d.Rows = file.Rows()
	d.Digest = content.sum
	result, err := a.Taker.Take(r.Context(), d)
	if err != nil {
		return refuse(err, func(to *refusal) { to.batch = result.Batch.ID })
	}
	receipt := answer.ReceiptOf(result)
	receipt.Notes = file.Notes
	if result.Repeated {
		if receipt, err = answer.Repeated(r.Context(), a.Reader, result.Batch); err != nil {
			return err
		}
	}
	w.Header().Set("Location", receipt.Links.Self)
	setRetryAfter(w, a.config.Poll)
	a.writeJSON(w, r, http.StatusAccepted, "application/json", receipt)
	return nil
}

// postDevice takes in one device: 202 for a new one, 200 for a known one, a problem otherwise.
func (a *API) postDevice(w http.ResponseWriter, r *http.Request, p access.Principal) error {
	if err := checkType(r, []string{"application/json"}); err != nil {
		return err
	}
	d, err := newDelivery(r, p)
	if err != nil {
		return err
	}
	content, err := a.newBody(w, r, a.config.MaxDevice, a.config.MaxDevice)
	if err != nil {
		return err
	}
	row, err := intake.DecodeDevice(content, 1)
	if err != nil {
		return err
	}
	d.Rows = func(yield func(intake.Row, error) bool) { yield(row, nil) }
	d.Digest = content.sum
	result, err := a.Taker.Take(r.Context(), d)
	if err != nil {
		return err
	}
	return a.answerDevice(w, r, result)
}

func (a *API) answerDevice(w http.ResponseWriter, r *http.Request, result collect.Result) error {
	rows, err := a.Reader.Rows(r.Context(), result.Batch.Tenant, result.Batch.ID, ledger.RowQuery{Limit: 1})
	if err != nil {
		return err
	}
	if len(rows) != 1 {
		return fault.New(fault.LedgerUnavailable, "The receipt of the device is not there.")
	}
	status := http.StatusAccepted
	switch receipt := rows[0].Receipt; receipt.Outcome {
	case device.Rejected, device.Conflict:
		return ofReceipt(result.Batch.ID, receipt)
	case device.Duplicate:
		status = http.StatusOK
	case device.Accepted, device.Updated:
	}
	w.Header().Set("Location", "/v1/devices/"+rows[0].Device)
	setRetryAfter(w, a.config.Poll)
	a.writeJSON(w, r, status, "application/json", viewOfRow(rows[0]))
	return nil
}

// newDelivery reads what query and headers say about a delivery.
func newDelivery(r *http.Request, p access.Principal) (collect.Delivery, error) {
	key, err := idempotencyKey(r.Header.Get("Idempotency-Key"))
	if err != nil {
		return collect.Delivery{}, err
	}
	q := r.URL.Query()
	d := collect.Delivery{
		Tenant:         p.Tenant,
		Source:         p.Name,
		Operator:       p.Operator,
		Name:           q.Get("name"),
		IdempotencyKey: key,
		GroupTag:       q.Get("groupTag"),
	}
	for name, value := range map[string]string{"name": d.Name, "groupTag": d.GroupTag} {
		if len(value) > maxText || strings.ContainsFunc(value, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return collect.Delivery{}, fault.Newf(
				fault.RequestInvalid,
				"The parameter %s has at most %d bytes, all of them printable.",
				name,
				maxText,
			)
		}
	}
	return d, nil
}

// maxText bounds what a client may name things, in bytes.
const maxText = 255

// idempotencyKey reads the header of the IETF draft "The Idempotency-Key HTTP Header Field": a quoted string, which
// most clients send bare.
func idempotencyKey(value string) (string, error) {
	if n := len(value); n >= 2 && value[0] == '"' && value[n-1] == '"' {
		value = strings.ReplaceAll(strings.ReplaceAll(value[1:n-1], `\"`, `"`), `\\`, `\`)
	}
	if len(value) > maxText || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) {
		return "", fault.Newf(
			fault.RequestInvalid,
			"Idempotency-Key has at most %d printable ASCII characters.",
			maxText,
		)
	}
	return value, nil
}

// checkType accepts a request without a type, and those whose type is on the list.
func checkType(r *http.Request, accepted []string) error {
	given := r.Header.Get("Content-Type")
	if given == "" {
		return nil
	}
	name, _, err := mime.ParseMediaType(given)
	if err != nil || !slices.Contains(accepted, name) {
		return fault.Newf(fault.RequestUnsupported, "Content-Type must be %s.", strings.Join(accepted, ", "))
	}
	return nil
}
