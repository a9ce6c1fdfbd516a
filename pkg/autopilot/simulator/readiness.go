package simulator

import "time"

// progressProfiles looks at every device again after an assignment changed.
func (s *Server) progressProfiles(t *tenant, at time.Time) {
	for _, e := range t.devices.sorted() {
		s.progressProfile(t, e, at)
	}
}

// intended is the profile a device should have: the oldest of its groups, else
// that of all devices.
func (t *tenant) intended(e *device) *profile {
	var byGroup, fallback *profile
	for _, p := range t.profiles.rows {
		for _, a := range p.assignments {
			if a.allDevices {
				fallback = p
			}
		}
		if p.targets(t, e) && (byGroup == nil || p.seq < byGroup.seq) {
			byGroup = p
		}
	}
	if byGroup != nil {
		return byGroup
	}
	return fallback
}

func (p *profile) targets(t *tenant, e *device) bool {
	included := false
	for _, a := range p.assignments {
		g := t.groups.rows[a.group]
		if g == nil || !g.members[e.id] {
			continue
		}
		if a.excluded {
			return false
		}
		included = true
	}
	return included
}

// progressProfile starts the way of a device to the profile it should have:
// notAssigned, pending, assigned.
func (s *Server) progressProfile(t *tenant, e *device, at time.Time) {
	d := t.identities.rows[e.ztdID]
	if d == nil {
		return
	}
	want := ""
	if p := t.intended(e); p != nil {
		want = p.id
	}
	if want == d.profileID {
		return
	}
	d.profileID = want
	d.profileStatus = statusNotAssigned
	d.profileAt = time.Time{}
	d.profileTurn++
	if want == "" {
		return
	}
	turn := d.profileTurn
	delays := s.opt.Delays
	step := func(at time.Time, wait Delay, status string, then func(at time.Time)) {
		s.plan(at, s.draw(wait, "profile", status, t.id, d.id), func(at time.Time) {
			if d.profileTurn == turn {
				d.profileStatus = status
				then(at)
			}
		})
	}
	step(at, delays.ProfilePending, statusProfileWaits, func(at time.Time) {
		first := statusUnknownSync
		if delays.ProfileSync.Max == 0 {
			first = statusInSync
		}
		step(at, delays.ProfileAssign, first, func(at time.Time) {
			d.profileAt = at
			if first == statusUnknownSync {
				step(at, delays.ProfileSync, statusInSync, func(time.Time) {})
			}
		})
	})
}
