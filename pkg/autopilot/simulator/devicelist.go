package simulator

import (
	"net/http"
	"strings"
)

// deviceFilter says which filters Entra answers, and which only as advanced
// queries.
func (c *call) deviceFilter() (*condition, *reply) {
	advanced := c.advanced()
	f, rep := c.filter(func(op, property string) bool {
		switch property {
		case "deviceId", "id", "displayName", "enrollmentProfileName":
			return op == "eq" || op == "in" || op == "startswith" && property != "id" || op == "ne" && advanced
		case "physicalIds":
			return op == "any" && advanced
		}
		return false
	})
	return f, rep
}

// advanced says whether the two marks of an advanced query are there.
func (c *call) advanced() bool {
	return strings.EqualFold(c.header.Get("ConsistencyLevel"), "eventual") && c.get("$count") == "true"
}

// counts refuses $count without the header, which pages after the first lose
// most easily.
func (c *call) counts() *reply {
	if c.get("$count") == "true" && !c.advanced() {
		return c.unsupported("$count is not currently supported without the header ConsistencyLevel: eventual.")
	}
	return nil
}

func (s *Server) listDevices(c *call) *reply {
	from := c.tenant.devices.sorted()
	if id, one := c.deviceID(); one {
		from = c.tenant.withDeviceID(id)
	}
	rows, rep := s.deviceRows(c, from)
	if rep != nil {
		return rep
	}
	return s.devicePage(c, rows, "devices", s.deviceJSON(c))
}

// deviceID is the one device that the most common filter asks for.
func (c *call) deviceID() (string, bool) {
	f, err := parseFilter(c.get("$filter"))
	if err != nil {
		return "", false
	}
	return f.equals("deviceId")
}

func (t *tenant) withDeviceID(id string) []*device {
	if e := t.byDeviceID[strings.ToLower(id)]; e != nil {
		return []*device{e}
	}
	return nil
}

// deviceRows checks the query of a device list and filters.
func (s *Server) deviceRows(c *call, from []*device) ([]*device, *reply) {
	if rep := c.onlyOptions("$filter", "$select", "$top", "$skiptoken", "$count"); rep != nil {
		return nil, rep
	}
	if rep := c.counts(); rep != nil {
		return nil, rep
	}
	f, rep := c.deviceFilter()
	if rep != nil {
		return nil, rep
	}
	var rows []*device
	for _, e := range from {
		if f.match(func(p string) []string { return s.deviceProperty(e, p) }) {
			rows = append(rows, e)
		}
	}
	return rows, nil
}

func (s *Server) devicePage(c *call, rows []*device, context string, render func(*device) map[string]any) *reply {
	return pageOf[device]{
		rows: rows, key: func(e *device) string { return e.id }, size: s.opt.Pages.Directory, most: 999,
		render: render, context: context, counted: c.advanced(),
	}.answer(c)
}

func (s *Server) getDevice(c *call) *reply {
	e := c.tenant.devices.rows[c.id]
	if e == nil {
		return c.missing(c.id)
	}
	value := s.deviceJSON(c)(e)
	value["@odata.context"] = c.context("devices/$entity")
	return ok(http.StatusOK, value)
}
