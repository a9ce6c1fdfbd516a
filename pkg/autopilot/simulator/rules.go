package simulator

import (
	"errors"
	"slices"
	"strings"
)

const maxRule = 3072

var errRule = errors.New("invalid membership rule")

// rule is a parsed dynamic membership rule: the five forms that Autopilot
// documentation prints, alone or joined by -and, -or and -not. Values compare
// without regard to case.
type rule struct {
	op       string // and, or, not, any, eq, ne, startswith, notstartswith, contains, notcontains
	property string
	value    string
	parts    []*rule
}

// ruleProperties are the device properties that the simulator knows, with the
// ones that need -any marked.
var ruleProperties = map[string]bool{
	"devicePhysicalIds": true, "devicePhysicalIDs": true, "enrollmentProfileName": false, "displayName": false,
	"deviceId": false,
}

var ruleOperators = map[string]string{
	"-eq": "eq", "-ne": "ne", "-startswith": "startswith", "-notstartswith": "notstartswith",
	"-contains": "contains", "-notcontains": "notcontains",
}

func (r *rule) match(get func(property string) []string) bool {
	switch r.op {
	case "and":
		return r.parts[0].match(get) && r.parts[1].match(get)
	case "or":
		return r.parts[0].match(get) || r.parts[1].match(get)
	case "not":
		return !r.parts[0].match(get)
	case "any":
		return slices.ContainsFunc(get(r.property), r.parts[0].holds)
	}
	return slices.ContainsFunc(get(r.property), r.holds)
}

func (r *rule) holds(have string) bool {
	if positive, negated := strings.CutPrefix(r.op, "not"); negated {
		return !compare(positive, strings.ToLower(have), r.value)
	}
	return compare(r.op, strings.ToLower(have), r.value)
}
