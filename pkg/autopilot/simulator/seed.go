package simulator

import (
	"encoding/base64"
	"fmt"
)

// Registered is a device that a tenant has before anybody imports anything.
type Registered struct {
	Hardware
	GroupTag        string `json:"groupTag,omitempty"`
	PurchaseOrder   string `json:"purchaseOrder,omitempty"`
	ManagedDeviceID string `json:"managedDeviceId,omitempty"` // enrolled: cannot be deleted
	EnrollmentName  string `json:"enrollmentProfileName,omitempty"`
}

// elsewhere is the tenant of devices that belong to nobody simulated.
const elsewhere = "elsewhere"

// SeedGroup makes a dynamic device group and returns its object id.
func (s *Server) SeedGroup(tenantID, displayName, membershipRule string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.tenant(tenantID)
	if err != nil {
		return "", err
	}
	parsed, err := parseRule(membershipRule)
	if err != nil {
		return "", fmt.Errorf("%w: group %s: %w", ErrSeed, displayName, err)
	}
	now := s.progress()
	g := &group{
		id: s.newID(), displayName: displayName, mailNickname: "seeded", types: []string{"DynamicMembership"}, security: true,
		membershipRule: membershipRule, rule: parsed, state: "On", created: now, visible: true, members: map[string]bool{},
	}
	s.enterGroup(t, g, now, 0)
	return g.id, nil
}

// SeedProfile makes a deployment profile, assigned to the groups given, and
// returns its id. The group "*" is all devices.
func (s *Server) SeedProfile(tenantID, name string, groupIDs ...string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.tenant(tenantID)
	if err != nil {
		return "", err
	}
	for _, id := range groupIDs {
		if id != "*" && t.groups.rows[id] == nil {
			return "", fmt.Errorf("%w: profile %s: no group %s", ErrSeed, name, id)
		}
	}
	now := s.progress()
	p := &profile{name: name, kind: profileType, created: now}
	s.enterProfile(t, p)
	for _, id := range groupIDs {
		a := assignment{group: id}
		if id == "*" {
			a = assignment{allDevices: true}
		}
		s.addAssignment(t, p, a, now)
	}
	return p.id, nil
}

// SeedRegistered registers a device in a tenant, readable at once, and returns
// the id of its Autopilot identity.
func (s *Server) SeedRegistered(tenantID string, r Registered) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.tenant(tenantID)
	if err != nil {
		return "", err
	}
	hw, err := s.seeded(r.Hardware)
	if err != nil {
		return "", err
	}
	now := s.progress()
	if o, taken := s.ownerOf(hw); taken {
		return "", fmt.Errorf("%w: the device belongs to tenant %s", ErrSeed, o.tenant)
	}
	d := s.newIdentity(t, hw, r.GroupTag)
	d.visible = true
	d.purchaseOrder = r.PurchaseOrder
	d.managedDeviceID = r.ManagedDeviceID
	if r.ManagedDeviceID != "" {
		d.enrollment = "enrolled"
	}
	s.joinEntra(t, d, now)
	d.device.enrollmentName = r.EnrollmentName
	return d.id, nil
}

// Deregister deletes the Autopilot identity with the id at once, as an administrator does in the portal.
func (s *Server) Deregister(tenantID, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.tenant(tenantID)
	if err != nil {
		return err
	}
	s.progress()
	d := t.identities.rows[id]
	if d == nil {
		return fmt.Errorf("%w: no registered device has the id %s", ErrSeed, id)
	}
	s.deregister(t, d)
	return nil
}

// SeedOwnedByOther gives a device to a tenant that is not simulated: importing
// it anywhere ends in 808.
func (s *Server) SeedOwnedByOther(hw Hardware) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	known, err := s.seeded(hw)
	if err != nil {
		return err
	}
	s.progress()
	if o, taken := s.ownerOf(known); taken && o.tenant != elsewhere {
		return fmt.Errorf("%w: the device belongs to tenant %s", ErrSeed, o.tenant)
	}
	s.owners[known.key()] = owner{tenant: elsewhere}
	return nil
}

// ReleaseFromOther takes back what SeedOwnedByOther did: the other tenant has
// deregistered the device.
func (s *Server) ReleaseFromOther(hw Hardware) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	known, err := s.seeded(hw)
	if err == nil && s.owners[known.key()].tenant == elsewhere {
		delete(s.owners, known.key())
	}
	return err
}

// seeded decodes the hash of a seed, if it has one.
func (s *Server) seeded(hw Hardware) (Hardware, error) {
	if hw.Hash == "" {
		if hw.Serial == "" && hw.EKHash == "" && hw.UUID == "" {
			return hw, fmt.Errorf("%w: a device needs a hash, a serial, a UUID or an EK hash", ErrSeed)
		}
		return hw, nil
	}
	blob, err := base64.StdEncoding.DecodeString(hw.Hash)
	if err != nil {
		return hw, fmt.Errorf("%w: %w", ErrSeed, errBinary)
	}
	known, err := decodeHash(blob, false)
	if err != nil {
		return hw, fmt.Errorf("%w: %w", ErrSeed, err)
	}
	return known, nil
}
