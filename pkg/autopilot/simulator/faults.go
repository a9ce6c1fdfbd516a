package simulator

import (
	"errors"
	"fmt"
	"slices"
	"strings"
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
	first := max(f.Nth, 1)
	times := f.Times
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
