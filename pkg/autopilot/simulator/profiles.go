package simulator

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

const (
	profileType       = "microsoft.graph.azureADWindowsAutopilotDeploymentProfile"
	hybridProfileType = "microsoft.graph.activeDirectoryWindowsAutopilotDeploymentProfile"
)

// profile is a deployment profile with its assignments. Members that mean
// nothing to the simulator are kept as they were sent.
type profile struct {
	id          string
	name        string
	kind        string // @odata.type
	created     time.Time
	modified    time.Time
	seq         int // the oldest profile wins
	rest        map[string]json.RawMessage
	assignments []assignment
}

// assignment targets a group, or all devices.
type assignment struct {
	id, group  string
	allDevices bool
	excluded   bool
}

var profileProperties = []string{
	"@odata.type", "@odata.context", "displayName", "description", "language", "locale", "deviceNameTemplate",
	"deviceType",
	"enableWhiteGlove", "preprovisioningAllowed", "extractHardwareHash", "hardwareHashExtractionEnabled",
	"roleScopeTagIds",
	"managementServiceAppId", "outOfBoxExperienceSettings", "outOfBoxExperienceSetting", "enrollmentStatusScreenSettings",
	"hybridAzureADJoinSkipConnectivityCheck",
}

func (p *profile) json() map[string]any {
	v := map[string]any{
		"description": "", "language": "os-default", "deviceType": "windowsPc", "deviceNameTemplate": "",
		"roleScopeTagIds": []string{"0"}, "extractHardwareHash": false, "enableWhiteGlove": false,
		"outOfBoxExperienceSettings": map[string]any{
			"hidePrivacySettings": true, "hideEULA": true, "userType": "standard", "deviceUsageType": "singleUser",
			"skipKeyboardSelectionPage": true, "hideEscapeLink": true,
		},
	}
	for name, raw := range p.rest {
		v[name] = raw
	}
	v["@odata.type"] = "#" + p.kind
	v["id"] = p.id
	v["displayName"] = p.name
	v["createdDateTime"] = date(p.created)
	v["lastModifiedDateTime"] = date(p.modified)
	return v
}

func (t *tenant) profileJSON(id string) map[string]any {
	if p := t.profiles.rows[id]; p != nil {
		return p.json()
	}
	return nil
}

func (s *Server) listProfiles(c *call) *reply {
	if rep := c.onlyOptions("$top", "$skiptoken", "$select"); rep != nil {
		return rep
	}
	return pageOf[profile]{
		rows: c.tenant.profiles.sorted(), key: func(p *profile) string { return p.id }, size: s.opt.Pages.Profiles,
		most: 1000, render: func(p *profile) map[string]any { return c.selected(p.json()) }, context: profiles,
	}.answer(c)
}

func (s *Server) createProfile(c *call) *reply {
	p := &profile{kind: profileType, created: c.now}
	if rep := c.readProfile(p); rep != nil {
		return rep
	}
	if p.name == "" {
		return failIntune(http.StatusBadRequest, "BadRequest", "The display name is missing.")
	}
	if len(c.tenant.profiles.rows) >= 350 {
		return failIntune(http.StatusBadRequest, "BadRequest", "The tenant has the largest number of profiles already.")
	}
	s.enterProfile(c.tenant, p)
	return ok(http.StatusCreated, p.json())
}

func (s *Server) enterProfile(t *tenant, p *profile) {
	s.seq++
	p.id = s.newID()
	p.seq = s.seq
	p.modified = p.created
	t.profiles.put(p.id, p)
}

func (c *call) readProfile(p *profile) *reply {
	var in struct {
		Kind string  `json:"@odata.type"`
		Name *string `json:"displayName"`
	}
	fields, rep := c.decode(&in, profileType, profileProperties...)
	if rep != nil {
		return rep
	}
	switch in.Kind {
	case "", "#" + p.kind:
	case "#" + profileType, "#" + hybridProfileType:
		p.kind = in.Kind[1:]
	default:
		return c.bad("The type '" + in.Kind + "' is not a type of deployment profile.")
	}
	if rep := c.checkProfile(fields); rep != nil {
		return rep
	}
	set(&p.name, in.Name)
	if p.rest == nil {
		p.rest = map[string]json.RawMessage{}
	}
	for name, raw := range fields {
		if name[0] != '@' {
			p.rest[name] = raw
		}
	}
	return nil
}

func (c *call) profile() (*profile, *reply) {
	if p := c.tenant.profiles.rows[c.id]; p != nil {
		return p, nil
	}
	return nil, c.missing(c.id)
}

func (s *Server) getProfile(c *call) *reply {
	p, rep := c.profile()
	if rep != nil {
		return rep
	}
	return ok(http.StatusOK, c.selected(p.json()))
}

func (s *Server) updateProfile(c *call) *reply {
	p, rep := c.profile()
	if rep != nil {
		return rep
	}
	if rep := c.readProfile(p); rep != nil {
		return rep
	}
	p.modified = c.now
	return ok(http.StatusOK, p.json())
}

func (s *Server) deleteProfile(c *call) *reply {
	p, rep := c.profile()
	if rep != nil {
		return rep
	}
	if len(p.assignments) > 0 {
		return failIntune(http.StatusBadRequest, "BadRequest", "The profile is assigned and cannot be deleted.")
	}
	c.tenant.profiles.remove(p.id)
	s.progressProfiles(c.tenant, c.now)
	return noContent()
}

func (s *Server) assignedDevices(c *call) *reply {
	p, rep := c.profile()
	if rep != nil {
		return rep
	}
	rows := slices.DeleteFunc(slices.Clone(c.tenant.identities.sorted()), func(d *identity) bool {
		return !d.visible || d.profileID != p.id || d.profileAt.IsZero()
	})
	return serialPage(c, rows, s.opt.Pages.Identities, s.opt.Quirks.ExclusiveCursor, s.renderIdentity(c))
}
