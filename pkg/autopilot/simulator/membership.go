package simulator

import (
	"time"
)

// Dynamic membership: every change of a device or of a rule is put into one
// queue per tenant. The queue is worked off strictly in order, each entry after
// its delay and not before the one ahead of it.

// enqueue plans one evaluation.
func (s *Server) enqueue(t *tenant, at time.Time, key string, evaluate func(at time.Time)) {
	due := at.Add(s.draw(s.opt.Delays.Group, "group", t.id, key))
	if earliest := t.evaluated.Add(s.draw(s.opt.Delays.GroupStep, "step", t.id, key)); due.Before(earliest) {
		due = earliest
	}
	t.evaluated = due
	s.plan(due, 0, evaluate)
}

// deviceChanged plans the evaluation of one device against every group.
func (s *Server) deviceChanged(t *tenant, e *device, at time.Time) {
	s.enqueue(t, at, e.id, func(at time.Time) {
		if t.devices.rows[e.id] != e {
			return
		}
		for _, g := range t.groups.rows {
			s.evaluate(g, e)
		}
		s.progressProfile(t, e, at)
	})
}

// groupChanged plans the evaluation of every device against one group.
func (s *Server) groupChanged(t *tenant, g *group, at time.Time) {
	g.status = "Running"
	s.enqueue(t, at, g.id, func(at time.Time) {
		if t.groups.rows[g.id] != g {
			return
		}
		for _, e := range t.devices.sorted() {
			if s.evaluate(g, e) {
				s.progressProfile(t, e, at)
			}
		}
		g.status = "Succeeded"
		g.updated = at
	})
}

// evaluate makes one device a member of a group or not; it says whether that
// is a change.
func (s *Server) evaluate(g *group, e *device) bool {
	if g.rule == nil || g.paused() {
		return false
	}
	member := g.rule.match(func(p string) []string { return s.deviceProperty(e, p) })
	if member == g.members[e.id] {
		return false
	}
	if member {
		g.members[e.id] = true
	} else {
		delete(g.members, e.id)
	}
	return true
}

// evaluateRule is the beta check of a rule against a device.
func (s *Server) evaluateRule(c *call) *reply {
	var in struct {
		Member string `json:"memberId"`
		Rule   string `json:"membershipRule"`
	}
	if _, rep := c.decode(&in, "evaluateDynamicMembership", "memberId", "membershipRule"); rep != nil {
		return rep
	}
	r, err := parseRule(in.Rule)
	if err != nil {
		return c.bad("Invalid property or operator in the rule: " + err.Error())
	}
	return s.evaluation(c, in.Member, in.Rule, r)
}

func (s *Server) evaluateGroup(c *call) *reply {
	var in struct {
		Member string `json:"memberId"`
	}
	if _, rep := c.decode(&in, "evaluateDynamicMembership", "memberId"); rep != nil {
		return rep
	}
	g, rep := c.group()
	if rep != nil {
		return rep
	}
	if g.rule == nil {
		return c.bad("The group has no membership rule.")
	}
	return s.evaluation(c, in.Member, g.membershipRule, g.rule)
}

func (s *Server) evaluation(c *call, member, text string, r *rule) *reply {
	e := c.tenant.devices.rows[fold(member)]
	if e == nil {
		return c.missing(member)
	}
	holds := r.match(func(p string) []string { return s.deviceProperty(e, p) })
	return ok(200, map[string]any{
		"@odata.context": c.context("microsoft.graph.evaluateDynamicMembershipResult"),
		"membershipRule": text, "membershipRuleEvaluationResult": holds,
		"membershipRuleEvaluationDetails": map[string]any{
			"expression": text, "expressionEvaluationDetails": []any{}, "expressionResult": holds,
		},
	})
}
