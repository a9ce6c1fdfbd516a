package simulator

import (
	"slices"
	"time"
)

// State is what a tenant holds, for assertions and for the curious.
type State struct {
	Tenant     string          `json:"tenant"`
	Now        time.Time       `json:"now"`
	Identities []IdentityState `json:"identities"`
	Imported   []ImportedState `json:"imported"`
	Devices    []DeviceState   `json:"devices"`
	Groups     []GroupState    `json:"groups"`
	Profiles   []ProfileState  `json:"profiles"`
}

// IdentityState is one windowsAutopilotDeviceIdentity.
type IdentityState struct {
	ID                string    `json:"id"`
	Serial            string    `json:"serialNumber"`
	Manufacturer      string    `json:"manufacturer"`
	Model             string    `json:"model"`
	GroupTag          string    `json:"groupTag"`
	UserPrincipalName string    `json:"userPrincipalName"`
	Key               string    `json:"device"` // decoded identity of the hardware
	EntraDeviceID     string    `json:"azureAdDeviceId"`
	Visible           bool      `json:"visible"`
	Leaving           bool      `json:"leaving"`
	ProfileID         string    `json:"profileId"`
	ProfileStatus     string    `json:"profileStatus"`
	ProfileAssigned   time.Time `json:"profileAssigned"`
}

// ImportedState is one imported record.
type ImportedState struct {
	ID             string `json:"id"`
	ImportID       string `json:"importId"`
	Serial         string `json:"serialNumber"`
	GroupTag       string `json:"groupTag"`
	Status         string `json:"status"`
	Code           int    `json:"code"`
	Name           string `json:"name"`
	RegistrationID string `json:"registrationId"`
	Polls          int    `json:"polls"` // how often clients read it
}

// DeviceState is one Entra device; ID is the object id.
type DeviceState struct {
	ID          string   `json:"id"`
	DeviceID    string   `json:"deviceId"`
	DisplayName string   `json:"displayName"`
	PhysicalIDs []string `json:"physicalIds"`
}

// GroupState is one group with the object ids of its members.
type GroupState struct {
	ID          string   `json:"id"`
	DisplayName string   `json:"displayName"`
	Rule        string   `json:"membershipRule"`
	State       string   `json:"processingState"`
	Members     []string `json:"members"`
}

// ProfileState is one deployment profile; "*" is all devices.
type ProfileState struct {
	ID          string   `json:"id"`
	DisplayName string   `json:"displayName"`
	Groups      []string `json:"groups"`
}

// State returns what a tenant holds now, sorted, including what its own API
// does not show yet.
func (s *Server) State(tenantID string) (State, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.tenant(tenantID)
	if err != nil {
		return State{}, err
	}
	st := State{Tenant: t.id, Now: s.progress()}
	for _, d := range t.identities.sorted() {
		st.Identities = append(st.Identities, d.state())
	}
	for _, r := range t.imported.sorted() {
		st.Imported = append(st.Imported, r.state())
	}
	for _, e := range t.devices.sorted() {
		st.Devices = append(st.Devices, DeviceState{e.id, e.deviceID, e.displayName, s.physicalIDs(e)})
	}
	for _, g := range t.groups.sorted() {
		st.Groups = append(st.Groups, g.snapshot())
	}
	for _, p := range t.profiles.sorted() {
		st.Profiles = append(st.Profiles, p.state())
	}
	return st, nil
}

func (d *identity) state() IdentityState {
	return IdentityState{
		ID: d.id, Serial: d.serial, Manufacturer: d.manufacturer, Model: d.model, GroupTag: d.tag, UserPrincipalName: d.upn,
		Key: d.hwKey, EntraDeviceID: d.deviceID(), Visible: d.visible, Leaving: d.leaving,
		ProfileID: d.profileID, ProfileStatus: d.profileStatus, ProfileAssigned: d.profileAt,
	}
}

func (r *importedRecord) state() ImportedState {
	st := ImportedState{
		ID:       r.id,
		ImportID: r.ImportID,
		Serial:   r.Serial,
		GroupTag: r.Tag,
		Status:   r.status(),
		Polls:    max(r.polls, 0),
	}
	if st.Status == "complete" || st.Status == "error" {
		st.Code = r.outcome.Code
		st.Name = r.outcome.Name
		st.RegistrationID = r.regID
	}
	return st
}

func (g *group) snapshot() GroupState {
	st := GroupState{ID: g.id, DisplayName: g.displayName, Rule: g.membershipRule, State: g.state}
	for id := range g.members {
		st.Members = append(st.Members, id)
	}
	slices.Sort(st.Members)
	return st
}

func (p *profile) state() ProfileState {
	st := ProfileState{ID: p.id, DisplayName: p.name}
	for _, a := range p.assignments {
		if a.allDevices {
			a.group = "*"
		}
		st.Groups = append(st.Groups, a.group)
	}
	slices.Sort(st.Groups)
	return st
}

// Tenants lists the tenants by id.
func (s *Server) Tenants() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for id := range s.tenants {
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}
