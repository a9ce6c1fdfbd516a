package simulator

import (
	"net/http"
	"slices"
	"strings"
)

const (
	deviceType       = "microsoft.graph.device"
	groupType        = "microsoft.graph.group"
	settingsType     = "microsoft.graph.windowsAutopilotSettings"
	assignmentEntity = "microsoft.graph.windowsAutopilotDeploymentProfileAssignment"
)

// shaped refuses $select and $expand of what the type of the answer does not have, as Graph's front does before it
// asks a service.
func (s *Server) shaped(c *call) *reply {
	if c.method != http.MethodGet || c.route.entity == "" {
		return nil
	}
	if last := c.route.path[len(c.route.path)-1]; last == "{id}" || last == "{sub}" {
		if rep := c.onlyOptions("$select", "$expand"); rep != nil {
			return rep
		}
	}
	properties := s.properties(c)
	navigation := c.navigation()
	for _, name := range c.names("$select") {
		if _, has := properties[name]; !has && !slices.Contains(navigation, name) {
			return c.noProperty(name)
		}
	}
	for _, name := range c.names("$expand") {
		if !slices.Contains(navigation, name) {
			return c.noProperty(name)
		}
	}
	return nil
}

// properties are the members of the type that a route answers; their values mean nothing.
func (s *Server) properties(c *call) map[string]any {
	switch c.route.entity {
	case importedType:
		return (&importedRecord{}).json()
	case identityType:
		if c.beta() {
			return (&identity{}).betaJSON()
		}
		return (&identity{}).json()
	case deviceType:
		return s.deviceValue(c, &device{})
	case groupType:
		return groupValue(c, &group{types: []string{"DynamicMembership"}})
	case settingsType:
		return (&settingsState{}).json("")
	case assignmentEntity:
		return assignment{}.json("")
	}
	all := (&profile{}).json()
	for _, name := range profileProperties {
		all[name] = nil
	}
	return all
}

// navigation are the properties that $expand may name.
func (c *call) navigation() []string {
	if c.route.entity == identityType && c.beta() {
		return []string{"deploymentProfile", "intendedDeploymentProfile"}
	}
	return nil
}

// names are the comma-separated values of a query option.
func (c *call) names(option string) (names []string) {
	for name := range strings.SplitSeq(c.get(option), ",") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	return names
}

func (c *call) noProperty(name string) *reply {
	return fail(http.StatusBadRequest, "BadRequest", "Parsing OData Select and Expand failed: Could not find a "+
		"property named '"+name+"' on type '"+c.route.entity+"'.")
}

// selected keeps the members that $select names, and annotations.
func (c *call) selected(value map[string]any) map[string]any {
	wanted := c.names("$select")
	if len(wanted) == 0 {
		return value
	}
	out := map[string]any{}
	for name, v := range value {
		if strings.HasPrefix(name, "@") || slices.Contains(wanted, name) {
			out[name] = v
		}
	}
	return out
}
