package simulator

import (
	"net/http"
	"strings"
)

// listMembers is GET /groups/{id}/members, plain or cast to devices.
func (s *Server) listMembers(c *call) *reply {
	g, rep := c.group()
	if rep != nil {
		return rep
	}
	if c.get("$filter") != "" && !c.advanced() {
		return c.unsupported("$filter on members needs ConsistencyLevel: eventual and $count=true.")
	}
	var members []*device
	for _, e := range c.tenant.devices.sorted() {
		if g.members[e.id] {
			members = append(members, e)
		}
	}
	rows, rep := s.deviceRows(c, members)
	if rep != nil {
		return rep
	}
	render := s.deviceJSON(c)
	context := "devices"
	if !strings.HasSuffix(c.path, "microsoft.graph.device") {
		context = "directoryObjects"
		render = func(e *device) map[string]any {
			v := s.deviceJSON(c)(e)
			v["@odata.type"] = "#microsoft.graph.device"
			return v
		}
	}
	return s.devicePage(c, rows, context, render)
}

// addMember refuses: the members of a dynamic group are not given by hand, and
// the simulator has no others.
func (s *Server) addMember(c *call) *reply {
	if _, rep := c.group(); rep != nil {
		return rep
	}
	return fail(http.StatusBadRequest, "Request_BadRequest",
		"Insufficient privileges to add or remove members of a dynamic membership group.")
}
