package simulator

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

func (a assignment) json(profileID string) map[string]any {
	target := map[string]any{"@odata.type": "#microsoft.graph.groupAssignmentTarget", "groupId": a.group}
	switch {
	case a.allDevices:
		target = map[string]any{"@odata.type": "#microsoft.graph.allDevicesAssignmentTarget"}
	case a.excluded:
		target["@odata.type"] = "#microsoft.graph.exclusionGroupAssignmentTarget"
	}
	return map[string]any{"id": a.id, "source": "direct", "sourceId": profileID, "target": target}
}

func (s *Server) listAssignments(c *call) *reply {
	if rep := c.onlyOptions("$top", "$skiptoken", "$select"); rep != nil {
		return rep
	}
	p, rep := c.profile()
	if rep != nil {
		return rep
	}
	rows := make([]*assignment, len(p.assignments))
	for i := range p.assignments {
		rows[i] = &p.assignments[i]
	}
	slices.SortFunc(rows, func(a, b *assignment) int { return strings.Compare(a.id, b.id) })
	return pageOf[assignment]{
		rows: rows, key: func(a *assignment) string { return a.id }, size: s.opt.Pages.Profiles, most: 1000,
		render: func(a *assignment) map[string]any { return c.selected(a.json(p.id)) }, context: profiles + "/assignments",
	}.answer(c)
}

// assign gives a profile to a group or to all devices.
func (s *Server) assign(c *call) *reply {
	p, rep := c.profile()
	if rep != nil {
		return rep
	}
	var in struct {
		Target struct {
			Kind  string `json:"@odata.type"`
			Group string `json:"groupId"`
		} `json:"target"`
	}
	fields, rep := c.decode(&in, assignmentEntity, "@odata.type", "id", "source", "sourceId", "target")
	if rep != nil {
		return rep
	}
	if rep := assignmentSource.check(c, fields["source"]); rep != nil {
		return rep
	}
	a := assignment{group: strings.ToLower(in.Target.Group)}
	switch strings.TrimPrefix(in.Target.Kind, "#") {
	case "microsoft.graph.groupAssignmentTarget":
	case "microsoft.graph.exclusionGroupAssignmentTarget":
		a.excluded = true
	case "microsoft.graph.allDevicesAssignmentTarget":
		a.allDevices = true
		a.group = ""
	default:
		return c.bad("The assignment target is not supported.")
	}
	if rep := c.checkAssignment(p, a); rep != nil {
		return rep
	}
	return ok(http.StatusCreated, s.addAssignment(c.tenant, p, a, c.now).json(p.id))
}

func (c *call) checkAssignment(p *profile, a assignment) *reply {
	if !a.allDevices && c.tenant.groups.rows[a.group] == nil {
		return failIntune(http.StatusBadRequest, "BadRequest", "The group does not exist.")
	}
	for _, other := range c.tenant.profiles.rows {
		for _, have := range other.assignments {
			if a.allDevices && have.allDevices {
				return failIntune(
					http.StatusBadRequest,
					"BadRequest",
					"Another Profile is already assigned to All Devices.",
				)
			}
			if other == p && have.group == a.group && have.allDevices == a.allDevices {
				return failIntune(
					http.StatusBadRequest,
					"BadRequest",
					"The profile is already assigned to this target.",
				)
			}
		}
	}
	return nil
}

func (s *Server) addAssignment(t *tenant, p *profile, a assignment, at time.Time) assignment {
	a.id = p.id + "_" + orGUID(a.group) + "_0"
	p.assignments = append(p.assignments, a)
	s.progressProfiles(t, at)
	return a
}

func (s *Server) getAssignment(c *call) *reply {
	p, rep := c.profile()
	if rep != nil {
		return rep
	}
	for _, a := range p.assignments {
		if a.id == c.sub {
			return ok(http.StatusOK, c.selected(a.json(p.id)))
		}
	}
	return c.missing(c.sub)
}

func (s *Server) unassign(c *call) *reply {
	p, rep := c.profile()
	if rep != nil {
		return rep
	}
	before := len(p.assignments)
	p.assignments = slices.DeleteFunc(p.assignments, func(a assignment) bool { return a.id == c.sub })
	if len(p.assignments) == before {
		return c.missing(c.sub)
	}
	s.progressProfiles(c.tenant, c.now)
	return noContent()
}
