package simulator

import (
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
)

// group is an Entra group; members are object ids.
type group struct {
	id             string
	displayName    string
	description    *string
	mailNickname   string
	types          []string
	security       bool
	membershipRule string
	state          string // On or Paused
	rule           *rule
	status         string // beta's membershipRuleProcessingStatus
	updated        time.Time
	created        time.Time
	visible        bool
	members        map[string]bool
}

func (g *group) dynamic() bool { return slices.Contains(g.types, "DynamicMembership") }
func (g *group) paused() bool  { return g.state == "Paused" }

// groupInput is what create and update take; nil is a member that was not sent.
type groupInput struct {
	DisplayName  *string  `json:"displayName"`
	Description  *string  `json:"description"`
	MailEnabled  *bool    `json:"mailEnabled"`
	MailNickname *string  `json:"mailNickname"`
	Security     *bool    `json:"securityEnabled"`
	Types        []string `json:"groupTypes"`
	Rule         *string  `json:"membershipRule"`
	State        *string  `json:"membershipRuleProcessingState"`
	Owners       []string `json:"owners@odata.bind"`
	Visibility   *string  `json:"visibility"`
}

var groupProperties = []string{
	"@odata.type", "displayName", "description", "mailEnabled", "mailNickname", "securityEnabled", "groupTypes",
	"membershipRule", "membershipRuleProcessingState", "owners@odata.bind", "visibility", "isAssignableToRole",
	"uniqueName",
}

// visibilities are the values that a group's visibility may have; what is given is not kept.
var visibilities = []string{"Private", "Public", "HiddenMembership"}

func (s *Server) createGroup(c *call) *reply {
	var in groupInput
	fields, rep := c.decode(&in, "microsoft.graph.group", groupProperties...)
	if rep != nil {
		return rep
	}
	for _, name := range []string{"displayName", "mailEnabled", "mailNickname", "securityEnabled"} {
		if isNull(fields[name]) {
			return c.bad("A value is required for property '" + name + "' of resource 'Group'.")
		}
	}
	if *in.MailEnabled || !*in.Security || slices.Contains(in.Types, "Unified") {
		return c.bad("The simulator has security groups without mail only.")
	}
	if s.dynamicGroups(c.tenant) >= s.opt.MaxGroups {
		return c.bad("The directory has the largest number of dynamic groups already.")
	}
	g := &group{
		id:       s.newID(),
		created:  c.now,
		security: true,
		state:    "On",
		status:   "NotStarted",
		members:  map[string]bool{},
	}
	g.types = append([]string{}, in.Types...)
	if rep := s.applyGroup(c, g, in); rep != nil {
		return rep
	}
	s.enterGroup(c.tenant, g, c.now, s.draw(s.opt.Delays.GroupVisible, "newgroup", c.tenant.id, g.id))
	value := s.groupJSON(c)(g)
	value["@odata.context"] = c.context("groups/$entity")
	return ok(http.StatusCreated, value)
}

func (s *Server) dynamicGroups(t *tenant) (n int) {
	for _, g := range t.groups.rows {
		if g.dynamic() {
			n++
		}
	}
	return n
}

func (s *Server) enterGroup(t *tenant, g *group, at time.Time, visible time.Duration) {
	t.groups.put(g.id, g)
	s.plan(at, visible, func(time.Time) { g.visible = true })
	if g.rule != nil {
		s.groupChanged(t, g, at)
	}
}

// applyGroup checks the members that were sent and writes them into g; after an
// error g must be thrown away.
func (s *Server) applyGroup(c *call, g *group, in groupInput) *reply {
	set(&g.displayName, in.DisplayName)
	set(&g.mailNickname, in.MailNickname)
	set(&g.membershipRule, in.Rule)
	set(&g.state, in.State)
	if in.Description != nil {
		g.description = in.Description
	}
	switch {
	case g.displayName == "" || len(g.displayName) > 256:
		return c.bad("Invalid value specified for property 'displayName' of resource 'Group'.")
	case !validNickname(g.mailNickname):
		return c.bad("Invalid value specified for property 'mailNickname' of resource 'Group'.")
	case g.state != "On" && g.state != "Paused":
		return c.bad("Invalid value specified for property 'membershipRuleProcessingState' of resource 'Group'.")
	case in.Visibility != nil && !slices.Contains(visibilities, *in.Visibility):
		return c.bad("Invalid value specified for property 'visibility' of resource 'Group'.")
	case slices.ContainsFunc(in.Types, func(kind string) bool { return kind != "DynamicMembership" }):
		return c.bad("Invalid value specified for property 'groupTypes' of resource 'Group'.")
	case g.dynamic() != (g.membershipRule != ""):
		return c.bad("Dynamic groups need a membershipRule, other groups must not have one.")
	case len(in.Owners) > 20:
		return c.bad("At most 20 relationships can be set in a create.")
	}
	if !g.dynamic() {
		return nil
	}
	var err error
	if g.rule, err = parseRule(g.membershipRule); err != nil {
		return fail(http.StatusBadRequest, "Request_BadRequest", "Invalid membership rule: "+err.Error())
	}
	return nil
}

func validNickname(name string) bool {
	return name != "" && len(name) <= 64 && !strings.ContainsAny(name, `@()\[]";:.<>, `) &&
		!strings.ContainsFunc(name, func(r rune) bool { return r > unicode.MaxASCII })
}

// updateGroup changes a group; resuming a paused one evaluates everything anew.
func (s *Server) updateGroup(c *call) *reply {
	g, rep := c.group()
	if rep != nil {
		return rep
	}
	var in groupInput
	fields, rep := c.decode(&in, "microsoft.graph.group", groupProperties...)
	if rep != nil {
		return rep
	}
	if _, given := fields["groupTypes"]; given && !slices.Equal(in.Types, g.types) {
		return c.bad("The simulator does not change the type of a group.")
	}
	changed := *g
	if rep := s.applyGroup(c, &changed, in); rep != nil {
		return rep
	}
	again := changed.membershipRule != g.membershipRule || changed.state != g.state
	*g = changed
	if again && g.rule != nil && !g.paused() {
		s.groupChanged(c.tenant, g, c.now)
	}
	return noContent()
}

func (s *Server) deleteGroup(c *call) *reply {
	g, rep := c.group()
	if rep != nil {
		return rep
	}
	c.tenant.groups.remove(g.id)
	for _, p := range c.tenant.profiles.rows {
		p.assignments = slices.DeleteFunc(p.assignments, func(a assignment) bool { return a.group == g.id })
	}
	s.progressProfiles(c.tenant, c.now)
	return noContent()
}
