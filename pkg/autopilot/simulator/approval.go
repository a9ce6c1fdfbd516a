package simulator

import (
	"fmt"
	"net/http"
	"slices"
)

// Approval says which writes of a tenant Multi Admin Approval protects.
type Approval string

// Approval modes.
const (
	ApprovalOff     Approval = "off"
	ApprovalDeletes Approval = "deletes" // DELETE of Autopilot identities
	ApprovalWrites  Approval = "writes"  // every write under /deviceManagement
)

// approval is Multi Admin Approval in one tenant: codes that were handed out,
// and whether a human has approved them.
type approval struct {
	mode  Approval
	codes map[string]bool
}

// SetApproval switches Multi Admin Approval of a tenant.
func (s *Server) SetApproval(tenantID string, mode Approval) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.tenant(tenantID)
	if err != nil {
		return err
	}
	if !slices.Contains([]Approval{ApprovalOff, ApprovalDeletes, ApprovalWrites}, mode) {
		return fmt.Errorf("%w: approval mode %q", ErrSeed, mode)
	}
	t.approval = approval{mode: mode, codes: map[string]bool{}}
	return nil
}

// Approve is the human who agrees to every request that waits in a tenant.
func (s *Server) Approve(tenantID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.tenant(tenantID)
	if err != nil {
		return err
	}
	for code := range t.approval.codes {
		t.approval.codes[code] = true
	}
	return nil
}

// approve refuses protected writes that no human has approved.
func (s *Server) approve(c *call) *reply {
	a := &c.tenant.approval
	protected := a.mode == ApprovalWrites && c.write() || a.mode == ApprovalDeletes && c.route.op == "identities.delete"
	if c.directory() || c.route.free || !protected {
		return nil
	}
	if code := c.header.Get("x-msft-approval-code"); a.codes[code] {
		delete(a.codes, code)
		return nil
	}
	status := s.opt.Quirks.ApprovalStatus
	if c.header.Get("x-msft-approval-justification") == "" {
		return fail(status, http.StatusText(status),
			"This tenant requires approval: the header x-msft-approval-justification is missing.")
	}
	code := s.newID()
	a.codes[code] = false
	rep := fail(status, "ApprovalRequired", "The request has to be approved by another administrator.")
	rep.header = http.Header{"X-Msft-Approval-Code": {code}}
	return rep
}
