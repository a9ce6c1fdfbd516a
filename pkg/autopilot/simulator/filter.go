package simulator

import (
	"errors"
	"slices"
	"strings"
)

var errFilter = errors.New("invalid $filter")

// condition is a parsed $filter. Strings compare without regard to case, as
// both back ends do.
type condition struct {
	op       string // and, or, not, eq, ne, contains, startswith, endswith, in, any
	property string
	values   []string // as written
	folded   []string // in lower case
	parts    []*condition
}

// filter parses $filter and refuses what allowed does not name.
func (c *call) filter(allowed func(op, property string) bool) (*condition, *reply) {
	raw := c.get("$filter")
	if strings.TrimSpace(raw) == "" {
		return nil, nil
	}
	f, err := parseFilter(raw)
	if err != nil {
		return nil, c.bad("Invalid filter clause: " + err.Error())
	}
	if !f.check(allowed) {
		return nil, c.unsupported("Filter is not supported on this resource: " + raw)
	}
	return f, nil
}

func (f *condition) check(allowed func(op, property string) bool) bool {
	switch f.op {
	case "and", "or", "not":
		return !slices.ContainsFunc(f.parts, func(p *condition) bool { return !p.check(allowed) })
	}
	return allowed(f.op, f.property)
}

// match evaluates the condition; get returns the values of a property.
func (f *condition) match(get func(property string) []string) bool {
	if f == nil {
		return true
	}
	switch f.op {
	case "and":
		return f.parts[0].match(get) && f.parts[1].match(get)
	case "or":
		return f.parts[0].match(get) || f.parts[1].match(get)
	case "not":
		return !f.parts[0].match(get)
	case "any":
		return slices.ContainsFunc(get(f.property), func(v string) bool {
			return f.parts[0].match(func(string) []string { return []string{v} })
		})
	}
	have := get(f.property)
	return slices.ContainsFunc(f.folded, func(want string) bool {
		return slices.ContainsFunc(have, func(v string) bool { return compare(f.op, strings.ToLower(v), want) })
	})
}

func leaf(op, property string, values ...string) *condition {
	f := &condition{op: op, property: property, values: values}
	for _, v := range values {
		f.folded = append(f.folded, strings.ToLower(v))
	}
	return f
}

func compare(op, have, want string) bool {
	switch op {
	case "contains":
		return strings.Contains(have, want)
	case "startswith":
		return strings.HasPrefix(have, want)
	case "endswith":
		return strings.HasSuffix(have, want)
	case "ne":
		return have != want
	default:
		return have == want
	}
}

// equals returns the value if the whole filter is property eq 'value'.
func (f *condition) equals(property string) (string, bool) {
	if f != nil && f.op == "eq" && f.property == property {
		return f.values[0], true
	}
	return "", false
}

// leaves calls visit with every comparison.
func (f *condition) leaves(visit func(*condition)) {
	if f == nil {
		return
	}
	if len(f.parts) == 0 {
		visit(f)
	}
	for _, p := range f.parts {
		p.leaves(visit)
	}
}

// inspectFilter notes which import ids and serials a list asks for.
func inspectFilter(c *call) {
	f, err := parseFilter(c.get("$filter"))
	if err != nil {
		return
	}
	f.leaves(func(leaf *condition) {
		switch leaf.property {
		case "importId":
			c.entry.ImportIDs = append(c.entry.ImportIDs, leaf.values...)
		case "serialNumber":
			c.entry.Serials = append(c.entry.Serials, leaf.values...)
		}
	})
}
