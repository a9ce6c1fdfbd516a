package tagging

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/graph"
	"taxiway.example/pkg/tenant"
	"taxiway.example/services/grouper/internal/step"
)

// service notes the tags set and answers from a list of errors.
type service struct {
	set    []string
	errs   []error
	syncs  int
	refuse error
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

func (s *service) Sync(context.Context) error {
	s.syncs++
	return s.refuse
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

// leases is a lease table with one row.
type leases struct {
	owner string
	until time.Time
	err   error
}

func (l *leases) Acquire(_ context.Context, _, owner string, ttl time.Duration, now time.Time) (bool, error) {
	if l.err != nil || l.owner != "" && l.owner != owner && now.Before(l.until) {
		return false, l.err
	}
	l.owner = owner
	l.until = now.Add(ttl)
	return true, nil
}

func (l *leases) Release(_ context.Context, _, owner string) error {
	if l.owner == owner {
		l.owner = ""
	}
	return nil
}

func TestSyncIsAskedForOnceEachPause(t *testing.T) {
	answered := func(status int, code fault.Code) error { return fault.Wrap(&graph.Error{Status: status}, code, "") }
	for name, tt := range map[string]struct {
		answer error
		lease  error
		want   int // syncs asked for in three tries, the last after the pause
	}{
		"accepted":        {nil, nil, 2},
		"running already": {answered(409, fault.GraphConflict), nil, 2},
		"too early":       {answered(429, fault.GraphThrottled), nil, 2},
		"budget used up":  {fault.New(fault.GraphThrottled, ""), nil, 3},
		"unreachable":     {fault.New(fault.GraphUnavailable, ""), nil, 3},
		"ledger down":     {nil, errors.New("down"), 0},
	} {
		now := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
		s := &service{refuse: tt.answer}
		syncer := Syncer{Leases: &leases{err: tt.lease}, Pause: time.Minute, Now: func() time.Time { return now }}
		for _, wait := range []time.Duration{0, 30 * time.Second, 30 * time.Second} {
			now = now.Add(wait)
			syncer.Ask(t.Context(), slog.New(slog.DiscardHandler), "contoso", s)
		}
		if s.syncs != tt.want {
			t.Errorf("%s: %d syncs, want %d", name, s.syncs, tt.want)
		}
	}
}
