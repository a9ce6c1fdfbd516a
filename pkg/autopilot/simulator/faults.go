package simulator

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Effect is what a fault does to the request it meets.
type Effect string

// Effects. Everything called After happens to a request that was applied: the
// client cannot know that it was.
const (
	Reply       Effect = "reply"       // Status, Code, Message and RetryAfter instead of the request
	ReplyAfter  Effect = "replyAfter"  // the same, after the request was applied
	ResetBefore Effect = "resetBefore" // connection closed, nothing applied
	ResetAfter  Effect = "resetAfter"  // connection closed, request applied
	Truncate    Effect = "truncate"    // applied, half the answer, connection closed
	Garbage     Effect = "garbage"     // applied, complete answer, but cut JSON
	Page        Effect = "page"        // an HTML page of a gateway with Status, nothing applied
	Hang        Effect = "hang"        // nothing applied, silence until the client gives up
	Import      Effect = "outcome"     // the import of the matching device ends in Outcome
)

// ErrFault says that a fault does not say what to do, or where.
var ErrFault = errors.New("simulator: invalid fault")

// Fault is one line of the fault plan: which requests it meets, and what
// becomes of them. Empty conditions match everything.
type Fault struct {
	Name      string `json:"name,omitempty"`
	Operation string `json:"operation,omitempty"` // as in the request log, for example imported.import
	Tenant    string `json:"tenant,omitempty"`
	Serial    string `json:"serial,omitempty"`
	ImportID  string `json:"importId,omitempty"`
	// Nth is the first matching request that is met, counted from AddFault;
	// 0 and 1 are the next one.
	Nth int `json:"nth,omitempty"`
	// Times is how many matching requests are met from there on; 0 is one,
	// negative is all.
	Times int `json:"times,omitempty"`

	Effect  Effect `json:"effect"`
	Status  int    `json:"status,omitempty"`
	Code    string `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
	// RetryAfter is sent as it is; "date:7s" becomes an HTTP date.
	RetryAfter string   `json:"retryAfter,omitempty"`
	Outcome    *Outcome `json:"outcome,omitempty"`
}

// FaultState is a planned fault and how often it was met.
type FaultState struct {
	ID int `json:"id"`
	Fault
	Matched int `json:"matched"` // requests that fitted
	Met     int `json:"met"`     // requests that it happened to
}

type plannedFault struct{ FaultState }

func (f Fault) title() string {
	if f.Name != "" {
		return f.Name
	}
	return string(f.Effect)
}

func (f Fault) check() error {
	switch f.Effect {
	case Reply, ReplyAfter, Page:
		if f.Status < 400 || f.Status > 599 {
			return fmt.Errorf("%w: effect %q needs a status from 400 to 599", ErrFault, f.Effect)
		}
	case Import:
		if f.Outcome == nil {
			return fmt.Errorf("%w: effect %q needs an outcome", ErrFault, f.Effect)
		}
	case ResetBefore, ResetAfter, Truncate, Garbage, Hang:
	default:
		return fmt.Errorf("%w: effect %q is not known", ErrFault, f.Effect)
	}
	return nil
}

// AddFault puts a line at the end of the plan. The first line that wants a
// request gets it. The id is for RemoveFault.
func (s *Server) AddFault(f Fault) (id int, err error) {
	if err := f.check(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faultIDs++
	s.faults = append(s.faults, &plannedFault{FaultState{ID: s.faultIDs, Fault: f}})
	return s.faultIDs, nil
}

// RemoveFault takes a line out of the plan; 0 takes all.
func (s *Server) RemoveFault(id int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = slices.DeleteFunc(s.faults, func(f *plannedFault) bool { return id == 0 || f.ID == id })
}

// Plan returns the fault plan and what came of it.
func (s *Server) Plan() []FaultState {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]FaultState, len(s.faults))
	for i, f := range s.faults {
		out[i] = f.FaultState
	}
	return out
}

// wants counts a matching request and says whether the fault happens to it.
func (f *plannedFault) wants() bool {
	f.Matched++
	first, times := max(f.Nth, 1), f.Times
	if times == 0 {
		times = 1
	}
	if f.Matched < first || times > 0 && f.Matched >= first+times {
		return false
	}
	f.Met++
	return true
}

func (f *plannedFault) fits(c *call) bool {
	return (f.Operation == "" || f.Operation == c.entry.Operation) &&
		(f.Tenant == "" || strings.EqualFold(f.Tenant, c.entry.Tenant)) &&
		(f.Serial == "" || slices.ContainsFunc(c.entry.Serials, equal(f.Serial))) &&
		(f.ImportID == "" || slices.ContainsFunc(c.entry.ImportIDs, equal(f.ImportID)))
}

func equal(want string) func(string) bool {
	return func(have string) bool { return strings.EqualFold(have, want) }
}

// faultBefore chooses the fault of a request and carries it out if it comes
// before the effect.
func (s *Server) faultBefore(c *call) *reply {
	for _, f := range s.faults {
		if f.Effect == Import || !f.fits(c) || !f.wants() {
			continue
		}
		c.fault, c.entry.Fault = &f.Fault, f.title()
		break
	}
	if c.fault == nil {
		return nil
	}
	switch c.fault.Effect {
	case Reply:
		return s.faultReply(c, *c.fault)
	case ResetBefore:
		return &reply{end: dropped}
	case Hang:
		return &reply{end: hung}
	case Page:
		return gatewayPage(c.fault.Status)
	}
	return nil
}

func (s *Server) faultAfter(c *call, rep *reply) *reply {
	if c.fault == nil {
		return rep
	}
	switch c.fault.Effect {
	case ReplyAfter:
		return s.faultReply(c, *c.fault)
	case ResetAfter:
		return &reply{end: dropped}
	case Truncate:
		rep.end = cut
	case Garbage:
		rep.render(c.now, "", "")
		rep.body = rep.body[:len(rep.body)/2]
	}
	return rep
}

// faultReply is an error answer in the shape that its status usually has. A 401
// makes the token invalid as well: whoever keeps using it keeps being refused.
func (s *Server) faultReply(c *call, f Fault) *reply {
	if c.entry.Operation == "token" {
		return s.refuse(c, oauthError{f.Status, orText(f.Code, "temporarily_unavailable"), 90033, orText(f.Message, "A transient error has occurred.")})
	}
	rep := errorFor(f.Status, f.Code, f.Message)
	if f.Status == http.StatusUnauthorized {
		delete(s.tokens, c.token)
	}
	if rep.header == nil {
		rep.header = http.Header{}
	}
	if wait, isDate := strings.CutPrefix(f.RetryAfter, "date:"); isDate {
		d, _ := time.ParseDuration(wait)
		rep.header.Set("Retry-After", c.now.Add(s.opt.ClockSkew+d).UTC().Format(http.TimeFormat))
	} else if f.RetryAfter != "" {
		rep.header.Set("Retry-After", f.RetryAfter)
	}
	return rep
}

func errorFor(status int, code, message string) *reply {
	switch status {
	case http.StatusUnauthorized:
		return unauthorized(orText(message, "Lifetime validation failed, the token is expired."))
	case http.StatusForbidden:
		return failIntune(status, orText(code, "Forbidden"), orText(message, "Application is not authorized to perform this operation."))
	case http.StatusTooManyRequests:
		return throttled("")
	case http.StatusInternalServerError:
		return failIntune(status, orText(code, "InternalServerError"), orText(message, "An error has occurred"))
	case http.StatusServiceUnavailable:
		return fail(status, orText(code, "ServiceUnavailable"), orText(message, "The service is temporarily unavailable."))
	}
	return fail(status, orText(code, strings.ReplaceAll(http.StatusText(status), " ", "")), orText(message, http.StatusText(status)))
}

func orText(text, fallback string) string {
	if text == "" {
		return fallback
	}
	return text
}

func gatewayPage(status int) *reply {
	return &reply{
		status: status, header: http.Header{"Content-Type": {"text/html"}},
		body: fmt.Appendf(nil, "<html><head><title>%d %s</title></head></html>", status, http.StatusText(status)),
	}
}

// outcomeFault chooses the fault that decides the import of one device.
func (s *Server) outcomeFault(c *call, r *importedRecord) *Fault {
	for _, f := range s.faults {
		fits := f.Effect == Import &&
			(f.Tenant == "" || strings.EqualFold(f.Tenant, c.tenant.id)) &&
			(f.Serial == "" || strings.EqualFold(f.Serial, r.Serial)) &&
			(f.ImportID == "" || strings.EqualFold(f.ImportID, r.ImportID))
		if fits && f.wants() {
			return &f.Fault
		}
	}
	return nil
}
