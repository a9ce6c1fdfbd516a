package simulator

import (
	"fmt"
	"net/http"
)

func (c *call) group() (*group, *reply) {
	if g := c.tenant.groups.rows[c.id]; g != nil && g.visible {
		return g, nil
	}
	return nil, c.missing(c.id)
}

func (s *Server) getGroup(c *call) *reply {
	g, rep := c.group()
	if rep != nil {
		return rep
	}
	value := s.groupJSON(c)(g)
	value["@odata.context"] = c.context("groups/$entity")
	return ok(http.StatusOK, value)
}

func (s *Server) groupJSON(c *call) func(*group) map[string]any {
	return func(g *group) map[string]any { return c.selected(groupValue(c, g)) }
}

func groupValue(c *call, g *group) map[string]any {
	v := map[string]any{
		"id": g.id, "displayName": g.displayName, "description": g.description, "mailNickname": g.mailNickname,
		"mailEnabled": false, "securityEnabled": g.security, "groupTypes": g.types, "mail": nil, "visibility": nil,
		"createdDateTime": date(g.created), "renewedDateTime": date(g.created), "deletedDateTime": nil,
		"expirationDateTime": nil, "membershipRule": nil, "membershipRuleProcessingState": nil,
		"proxyAddresses": []string{}, "classification": nil, "isAssignableToRole": nil, "isManagementRestricted": nil,
		"onPremisesLastSyncDateTime": nil, "onPremisesSecurityIdentifier": nil, "onPremisesSyncEnabled": nil,
		"preferredDataLocation": nil, "preferredLanguage": nil, "resourceBehaviorOptions": []string{},
		"resourceProvisioningOptions": []string{}, "securityIdentifier": nil, "theme": nil, "uniqueName": nil,
	}
	if !g.dynamic() {
		return v
	}
	v["membershipRule"] = g.membershipRule
	v["membershipRuleProcessingState"] = g.state
	if c.beta() {
		v["membershipRuleProcessingStatus"] = map[string]any{
			"status": g.status, "lastMembershipUpdated": date(g.updated), "errorMessage": nil,
		}
	}
	return v
}

func (s *Server) listGroups(c *call) *reply {
	if rep := c.onlyOptions("$filter", "$select", "$top", "$skiptoken", "$count"); rep != nil {
		return rep
	}
	if rep := c.counts(); rep != nil {
		return rep
	}
	f, rep := c.filter(func(op, property string) bool {
		switch property {
		case "displayName", "mailNickname", "id", "securityEnabled", "mailEnabled":
			return op == "eq" || op == "in" || op == "startswith"
		}
		return property == "groupTypes" && op == "any"
	})
	if rep != nil {
		return rep
	}
	var rows []*group
	for _, g := range c.tenant.groups.sorted() {
		if g.visible && f.match(g.property) {
			rows = append(rows, g)
		}
	}
	return pageOf[group]{
		rows: rows, key: func(g *group) string { return g.id }, size: s.opt.Pages.Directory, most: 999,
		render: s.groupJSON(c), context: "groups", counted: c.advanced(),
	}.answer(c)
}

func (g *group) property(name string) []string {
	switch name {
	case "displayName":
		return []string{g.displayName}
	case "mailNickname":
		return []string{g.mailNickname}
	case "id":
		return []string{g.id}
	case "securityEnabled":
		return []string{fmt.Sprint(g.security)}
	case "mailEnabled":
		return []string{"false"}
	}
	return g.types
}
