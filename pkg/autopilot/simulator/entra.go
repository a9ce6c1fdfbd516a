package simulator

import (
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
	return func(e *device) map[string]any { return c.selected(s.deviceValue(c, e)) }
}

func (s *Server) deviceValue(c *call, e *device) map[string]any {
	v := map[string]any{
		"id": e.id, "deviceId": e.deviceID, "displayName": e.displayName, "accountEnabled": true,
		"createdDateTime": date(e.created), "deletedDateTime": nil, "approximateLastSignInDateTime": nil,
		"complianceExpirationDateTime": nil, "deviceCategory": nil, "deviceMetadata": nil, "deviceOwnership": nil,
		"deviceVersion": 2, "enrollmentProfileName": nil, "enrollmentType": nil, "isCompliant": nil, "isManaged": nil,
		"isManagementRestricted": nil, "isRooted": nil, "managementType": nil, "mdmAppId": nil,
		"onPremisesLastSyncDateTime": nil, "onPremisesSyncEnabled": nil, "operatingSystem": "Windows",
		"operatingSystemVersion": "10.0", "physicalIds": s.physicalIDs(e), "profileType": "RegisteredDevice",
		"systemLabels": []string{}, "trustType": "AzureAd", "registrationDateTime": nil,
	}
	if e.enrollmentName != "" {
		v["enrollmentProfileName"] = e.enrollmentName
	}
	if c.beta() {
		v["manufacturer"] = e.manufacturer
		v["model"] = e.model
	}
	return v
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
