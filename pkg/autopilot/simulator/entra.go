package simulator

import (
	"net/http"
	"strings"
	"time"
)

// device is the Entra object that a registration creates.
type device struct {
	id, deviceID   string // object id and device id: two different things
	ztdID          string // id of the Autopilot identity
	displayName    string
	tag            string
	purchaseOrder  string
	enrollmentName string
	manufacturer   string
	model          string
	created        time.Time
}

// joinEntra makes the Entra object of a registered device readable.
func (s *Server) joinEntra(t *tenant, d *identity, at time.Time) {
	if d.leaving {
		return
	}
	d.device = &device{
		id: s.newID(), deviceID: s.newID(), ztdID: d.id, displayName: d.serial, tag: d.wantTag,
		purchaseOrder: d.purchaseOrder, manufacturer: d.manufacturer, model: d.model, created: at,
	}
	t.devices.put(d.device.id, d.device)
	t.byDeviceID[d.device.deviceID] = d.device
	s.deviceChanged(t, d.device, at)
}

func (s *Server) leaveEntra(t *tenant, e *device) {
	t.devices.remove(e.id)
	delete(t.byDeviceID, e.deviceID)
	for _, g := range t.groups.rows {
		delete(g.members, e.id)
	}
}

// physicalIDs are the prefixed entries that dynamic rules look at.
func (s *Server) physicalIDs(e *device) []string {
	ids := []string{"[HWID]:h:" + e.deviceID, "[ZTDID]:" + e.ztdID}
	if e.tag != "" {
		ids = append(ids, s.opt.Quirks.OrderIDPrefix+":"+e.tag)
	}
	if e.purchaseOrder != "" {
		ids = append(ids, "[PurchaseOrderId]:"+e.purchaseOrder)
	}
	return ids
}

func (s *Server) deviceJSON(c *call) func(*device) map[string]any {
	return func(e *device) map[string]any {
		v := map[string]any{
			"id": e.id, "deviceId": e.deviceID, "displayName": e.displayName, "accountEnabled": true,
			"deletedDateTime": nil, "approximateLastSignInDateTime": nil, "complianceExpirationDateTime": nil,
			"deviceCategory": nil, "deviceOwnership": nil, "deviceVersion": 2, "enrollmentProfileName": nil,
			"isCompliant": nil, "isManaged": nil, "operatingSystem": "Windows", "operatingSystemVersion": "10.0",
			"physicalIds": s.physicalIDs(e), "profileType": "RegisteredDevice", "systemLabels": []string{},
			"trustType": "AzureAd", "registrationDateTime": nil,
		}
		if e.enrollmentName != "" {
			v["enrollmentProfileName"] = e.enrollmentName
		}
		if c.beta() {
			v["manufacturer"], v["model"] = e.manufacturer, e.model
		}
		return c.selected(v)
	}
}

func (s *Server) deviceProperty(e *device, name string) []string {
	switch name {
	case "id":
		return []string{e.id}
	case "deviceId":
		return []string{e.deviceID}
	case "displayName":
		return []string{e.displayName}
	case "physicalIds", "devicePhysicalIds":
		return s.physicalIDs(e)
	case "enrollmentProfileName":
		return []string{e.enrollmentName}
	}
	return nil
}

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
