package simulator

import (
	"net/http"
	"slices"
	"strings"
)

func (s *Server) listIdentities(c *call) *reply {
	rows, rep := s.identityRows(c)
	if rep != nil {
		return rep
	}
	return serialPage(c, rows, s.opt.Pages.Identities, s.opt.Quirks.ExclusiveCursor, s.renderIdentity(c))
}

func (s *Server) countIdentities(c *call) *reply {
	rows, rep := s.identityRows(c)
	if rep != nil {
		return rep
	}
	return count(len(rows))
}

func (s *Server) identityRows(c *call) ([]*identity, *reply) {
	known := []string{"$filter", "$top", "$skiptoken", "$count", "$select"}
	if c.beta() {
		known = append(known, "$expand")
	}
	if rep := c.onlyOptions(known...); rep != nil {
		return nil, rep
	}
	if c.get("$select") != "" && s.opt.Quirks.SelectFails {
		return nil, failIntune(http.StatusInternalServerError, "InternalServerError", "An error has occurred")
	}
	f, rep := c.filter(func(op, property string) bool {
		return property == "serialNumber" && (op == "contains" || op == "eq" && s.opt.Quirks.EqOnSerial)
	})
	if rep != nil {
		return nil, rep
	}
	if s.opt.Quirks.HyphenBug && hyphenated(f) {
		return nil, failIntune(http.StatusBadRequest, "BadRequest", "An error has occurred")
	}
	var rows []*identity
	for _, d := range c.tenant.identities.sorted() {
		if d.visible && f.match(func(string) []string { return []string{d.folded} }) {
			rows = append(rows, d)
		}
	}
	return rows, nil
}

func hyphenated(f *condition) (found bool) {
	f.leaves(func(leaf *condition) {
		found = found || slices.ContainsFunc(leaf.values, func(v string) bool { return strings.Contains(v, "-") })
	})
	return found
}
