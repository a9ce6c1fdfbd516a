package tagging

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/tenant"
	"taxiway.example/services/grouper/internal/step"
)

// service notes the tags set and answers from a list of errors.
type service struct {
	set  []string
	errs []error
}

func (s *service) SetGroupTag(_ context.Context, id, tag string) error {
	s.set = append(s.set, id+" "+tag)
	if len(s.errs) == 0 {
		return nil
	}
	err := s.errs[0]
	s.errs = s.errs[1:]
	return err
}

func (s *service) AssignUser(_ context.Context, id, user, _ string) error {
	return s.SetGroupTag(context.Background(), id, user)
}

// TestRefusalOfTheTenantStopsWritingOnly: devices whose tag is right already go on.
func TestRefusalOfTheTenantStopsWritingOnly(t *testing.T) {
	var cases []step.Case
	for _, tag := range []string{"OLD", "OLD", "OLD", "NEW", "OLD"} {
		cases = append(
			cases,
			step.Case{Device: device.Device{GroupTag: "NEW"}, Identity: autopilot.Identity{ID: "id", GroupTag: tag}},
		)
	}
	for name, tt := range map[string]struct {
		err  error
		want []fault.Code
		sent int
	}{
		"one device":  {fault.New(fault.GraphConflict, ""), []fault.Code{"", fault.GraphConflict, "", "", ""}, 4},
		"unknown":     {fault.New(fault.GraphUnknownOutcome, ""), []fault.Code{"", fault.GraphUnknownOutcome, "", "", ""}, 4},
		"throttled":   {fault.New(fault.GraphThrottled, ""), []fault.Code{"", fault.GraphThrottled, fault.GraphThrottled, "", fault.GraphThrottled}, 2},
		"refused":     {fault.New(fault.TenantPermissionMissing, ""), []fault.Code{"", fault.TenantPermissionMissing, fault.TenantPermissionMissing, "", fault.TenantPermissionMissing}, 2},
		"unreachable": {fault.New(fault.GraphUnavailable, ""), []fault.Code{"", fault.GraphUnavailable, fault.GraphUnavailable, "", fault.GraphUnavailable}, 2},
	} {
		s := &service{errs: []error{nil, tt.err}}
		var got []fault.Code
		for _, v := range Decide(t.Context(), s, tenant.Tenant{}, cases) {
			code := fault.Code("")
			if v.Err != nil {
				code = fault.CodeOf(v.Err)
			} else if v.To != device.Tagged || *v.Set.Tag != "NEW" {
				t.Errorf("%s: %+v", name, v)
			}
			got = append(got, code)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || len(s.set) != tt.sent {
			t.Errorf("%s: %d sent, %s", name, len(s.set), diff)
		}
	}
}
