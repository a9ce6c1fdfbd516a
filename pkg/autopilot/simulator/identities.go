package simulator

import (
	"net/http"
	"time"
)

const identityType = "microsoft.graph.windowsAutopilotDeviceIdentity"

// identity is a registered device.
type identity struct {
	id, hwKey               string
	registered              Hardware
	serial, productKey      string
	folded                  string // serial in lower case, to be searched
	sortKey                 string // by serial, then by id
	manufacturer, model     string
	sku, family             string
	purchaseOrder           string
	tag                     string // as lists show it
	wantTag                 string // as last set
	upn, addressable        string
	displayName             string
	enrollment              string
	managedDeviceID         string
	deviceAccount, friendly string
	unblocked               bool
	visible, leaving        bool
	device                  *device // nil until Entra has it

	profileID, profileStatus string
	profileAt                time.Time
	profileTurn              int // of the assignment that is under way
}

func (d *identity) deviceID() string {
	if d.device == nil {
		return noGUID
	}
	return d.device.deviceID
}

func orGUID(id string) string {
	if id == "" {
		return noGUID
	}
	return id
}

func date(at time.Time) string {
	if at.IsZero() {
		return noDate
	}
	return at.UTC().Format("2006-01-02T15:04:05.0000000Z")
}

func (d *identity) json() map[string]any {
	return map[string]any{
		"id": d.id, "groupTag": d.tag, "purchaseOrderIdentifier": d.purchaseOrder, "serialNumber": d.serial,
		"productKey": d.productKey, "manufacturer": d.manufacturer, "model": d.model, "enrollmentState": d.enrollment,
		"lastContactedDateTime": noDate, "addressableUserName": d.addressable, "userPrincipalName": d.upn,
		"resourceName": "", "skuNumber": d.sku, "systemFamily": d.family, "azureActiveDirectoryDeviceId": d.deviceID(),
		"managedDeviceId": orGUID(d.managedDeviceID), "displayName": d.displayName,
	}
}

// betaJSON has what only beta shows, the profile above all.
func (d *identity) betaJSON() map[string]any {
	v := d.json()
	userless := "unknown"
	if d.unblocked {
		userless = "allowed"
	}
	for name, value := range map[string]any{
		"azureAdDeviceId": d.deviceID(), "deploymentProfileAssignmentStatus": d.profileStatus,
		"deploymentProfileAssignmentDetailedStatus": "none", "deploymentProfileAssignedDateTime": date(d.profileAt),
		"remediationState": "noRemediationRequired", "remediationStateLastModifiedDateTime": noDate,
		"userlessEnrollmentStatus": userless, "deviceAccountUpn": d.deviceAccount, "deviceAccountPassword": "",
		"deviceFriendlyName": d.friendly,
	} {
		v[name] = value
	}
	return v
}

// renderIdentity picks the version and follows $select and $expand.
func (s *Server) renderIdentity(c *call) func(*identity) map[string]any {
	if !c.beta() {
		return func(d *identity) map[string]any { return c.selected(d.json()) }
	}
	return func(d *identity) map[string]any {
		v := c.selected(d.betaJSON())
		for _, navigation := range c.names("$expand") {
			if p := c.tenant.profileJSON(d.profileID); p != nil {
				v[navigation] = p
			}
		}
		return v
	}
}

func (s *Server) inspectIdentity(c *call) {
	if d := c.tenant.identities.rows[c.id]; d != nil {
		c.entry.Serials = []string{d.serial}
		c.entry.Devices = []string{d.hwKey}
	}
}

// identity finds the visible device of the path.
func (c *call) identity() (*identity, *reply) {
	if d := c.tenant.identities.rows[c.id]; d != nil && d.visible {
		return d, nil
	}
	return nil, c.missing(c.id)
}

func (s *Server) getIdentity(c *call) *reply {
	d, rep := c.identity()
	if rep != nil {
		return rep
	}
	value := s.renderIdentity(c)(d)
	value["@odata.context"] = c.context(identities + "/$entity")
	return ok(http.StatusOK, value)
}

func (s *Server) identityProfile(c *call) *reply {
	d, rep := c.identity()
	if rep != nil {
		return rep
	}
	value := c.tenant.profileJSON(d.profileID)
	if value == nil {
		return c.missing(c.id)
	}
	return ok(http.StatusOK, c.selected(value))
}

// deleteIdentity deregisters; the row stays readable for a while.
func (s *Server) deleteIdentity(c *call) *reply {
	d, rep := c.identity()
	if rep != nil {
		return rep
	}
	if d.managedDeviceID != "" || d.enrollment == "enrolled" {
		return failIntune(http.StatusBadRequest, "BadRequest",
			"The device is enrolled in Intune. Delete the managed device first.")
	}
	if !d.leaving {
		d.leaving = true
		t := c.tenant
		s.plan(c.now, s.draw(s.opt.Delays.IdentityDelete, "delete", t.id, d.id), func(time.Time) { s.deregister(t, d) })
	}
	return noContent()
}

// deregister frees the device for every tenant and takes its Entra object away.
func (s *Server) deregister(t *tenant, d *identity) {
	t.identities.remove(d.id)
	if s.owners[d.hwKey].identity == d.id {
		delete(s.owners, d.hwKey)
	}
	if d.device != nil {
		s.leaveEntra(t, d.device)
	}
	d.visible = false
	d.profileTurn = d.profileTurn + 1
}
