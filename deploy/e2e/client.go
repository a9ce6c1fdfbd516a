package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"taxiway.example/pkg/awaittest"
)

// Client talks to the API with one key. It shares nothing with pkg/api and its client on purpose: it is a second
// reading of docs/api/openapi.yaml.
type Client struct {
	URL, Key string
}

// Status is a batch as the API shows it.
type Status struct {
	ID        string         `json:"id"`
	State     string         `json:"state"`
	Rows      int            `json:"rows"`
	Outcomes  map[string]int `json:"outcomes"`
	States    map[string]int `json:"states"`
	Conflicts map[string]int `json:"conflicts"`
	Reasons   []Reason       `json:"reasons"`
	Checks    int            `json:"checks"`
}

// Reason counts devices that are not ready.
type Reason struct {
	State string `json:"state"`
	Code  string `json:"code"`
	Count int    `json:"count"`
}

// InFlight returns how many devices of the batch the pipeline still works on.
func (s Status) InFlight() int {
	n := 0
	for _, state := range []string{"collected", "submitting", "submitted", "registered", "tagged", "grouped"} {
		n += s.States[state]
	}
	return n
}

// Done reports whether the pipeline has nothing left to do for the batch.
func (s Status) Done() bool { return s.State == "complete" && s.InFlight() == 0 && s.Checks == 0 }

// Conserved returns an error when rows or devices were lost or invented.
func (s Status) Conserved() error {
	outcomes := 0
	states := 0
	for _, n := range s.Outcomes {
		outcomes += n
	}
	for _, n := range s.States {
		states += n
	}
	if outcomes != s.Rows || states != s.Outcomes["accepted"]+s.Outcomes["updated"] {
		return fmt.Errorf("not conserved: %d rows, outcomes %v, states %v", s.Rows, s.Outcomes, s.States)
	}
	return nil
}

// Waits reports whether devices of the batch wait with that code.
func (s Status) Waits(code string) bool {
	for _, r := range s.Reasons {
		if r.Code == code {
			return true
		}
	}
	return false
}

// Row is what became of a row, and of its device.
type Row struct {
	Row        int    `json:"row"`
	Outcome    string `json:"outcome"`
	Code       string `json:"code"`
	Column     string `json:"column"`
	Device     string `json:"device"`
	State      string `json:"state"`
	DeviceCode string `json:"deviceCode"`
}

// DeadLetter is a device or a message that was given up.
type DeadLetter struct {
	ID           string `json:"id"`
	Tenant       string `json:"tenant"`
	Device       string `json:"device"`
	Message      string `json:"message"`
	Subscription string `json:"subscription"`
	Code         string `json:"code"`
	Detail       string `json:"detail"`
}

// Replayed is what became of a dead letter that was to be replayed.
type Replayed struct {
	ID      string `json:"id"`
	Outcome string `json:"outcome"`
	Code    string `json:"code"`
	Device  string `json:"device"`
	Message string `json:"message"`
}

// Problem is an answer that is not a success: RFC 9457 with our members.
type Problem struct {
	Status      int    `json:"status"`
	Type        string `json:"type"`
	Title       string `json:"title"`
	Code        string `json:"code"`
	Batch       string `json:"batch"`
	ContentType string `json:"-"`
	Errors      []struct {
		Row    int    `json:"row"`
		Line   int    `json:"line"`
		Column string `json:"column"`
		Code   string `json:"code"`
	} `json:"errors"`
}

// Error returns status, code and title.
func (p *Problem) Error() string { return fmt.Sprintf("%d %s: %s", p.Status, p.Code, p.Title) }

// Submit sends a file under an idempotency key; "" is none.
func (c Client) Submit(ctx context.Context, csv []byte, idempotency string) (Status, error) {
	var s Status
	return s, c.call(ctx, http.MethodPost, "/v1/batches", "text/csv", idempotency, csv, &s)
}

// Batch returns the status of a batch.
func (c Client) Batch(ctx context.Context, id string) (Status, error) {
	var s Status
	return s, c.Get(ctx, "/v1/batches/"+id, &s)
}

// Rows returns the rows of a batch, at most 500.
func (c Client) Rows(ctx context.Context, batch string) ([]Row, error) {
	var page struct {
		Rows []Row `json:"rows"`
	}
	return page.Rows, c.Get(ctx, "/v1/batches/"+batch+"/rows", &page)
}

// DeadLetters returns the open dead letters.
func (c Client) DeadLetters(ctx context.Context) ([]DeadLetter, error) {
	var page struct {
		DeadLetters []DeadLetter `json:"deadLetters"`
	}
	return page.DeadLetters, c.Get(ctx, "/v1/dead-letters", &page)
}

// Replay puts dead letters back to work.
func (c Client) Replay(ctx context.Context, ids ...string) ([]Replayed, error) {
	var answer struct {
		Results []Replayed `json:"results"`
	}
	err := c.Post(ctx, "/v1/dead-letters/replay", map[string]any{"ids": ids, "reason": "the cause is gone"}, &answer)
	return answer.Results, err
}

// Get reads a path of the API.
func (c Client) Get(ctx context.Context, path string, out any) error {
	return c.call(ctx, http.MethodGet, path, "", "", nil, out)
}

// Post sends JSON to a path of the API.
func (c Client) Post(ctx context.Context, path string, body, out any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return c.call(ctx, http.MethodPost, path, "application/json", "", raw, out)
}

// client keeps no connections: the other side dies. Calls are bounded by their context.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 16 << 20

func (c Client) call(ctx context.Context, method, path, contentType, idempotency string, body []byte, out any) error {
	ctx, cancel := awaittest.Context(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, c.URL+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.Key)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if idempotency != "" {
		req.Header.Set("Idempotency-Key", `"`+idempotency+`"`)
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return err
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		p := &Problem{Status: resp.StatusCode}
		if err := json.Unmarshal(answer, p); err != nil {
			return fmt.Errorf("%s: %q is no problem: %w", resp.Status, answer, err)
		}
		p.ContentType = resp.Header.Get("Content-Type")
		return p
	}
	return json.Unmarshal(answer, out)
}
