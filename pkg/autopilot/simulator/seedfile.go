package simulator

import (
	"fmt"
	"io"
)

// Seeds is a seed file: what a simulator begins with. Tenants may be new; groups and
// profiles are named, and profiles refer to groups by name.
type Seeds struct {
	Tenants      []Tenant     `json:"tenants,omitempty"`
	Contents     []TenantSeed `json:"contents,omitempty"`
	OwnedByOther []Hardware   `json:"ownedByOther,omitempty"`
	Faults       []Fault      `json:"faults,omitempty"`
}

// TenantSeed is what one tenant begins with.
type TenantSeed struct {
	Tenant     string        `json:"tenant"`
	Groups     []GroupSeed   `json:"groups,omitempty"`
	Profiles   []ProfileSeed `json:"profiles,omitempty"`
	Registered []Registered  `json:"registered,omitempty"`
	Approval   Approval      `json:"approval,omitempty"`
}

// GroupSeed is a dynamic group.
type GroupSeed struct {
	Name string `json:"name"`
	Rule string `json:"rule"`
}

// ProfileSeed is a deployment profile; the group "*" is all devices.
type ProfileSeed struct {
	Name   string   `json:"name"`
	Groups []string `json:"groups,omitempty"`
}

// Planted are the ids of what was seeded, by tenant and name.
type Planted struct {
	Groups     map[string]map[string]string `json:"groups"`
	Profiles   map[string]map[string]string `json:"profiles"`
	Registered map[string][]string          `json:"registered"`
}

// ReadSeeds reads a seed file; unknown members are an error.
func ReadSeeds(from io.Reader) (Seeds, error) {
	var seeds Seeds
	if err := readJSON(from, &seeds); err != nil {
		return Seeds{}, fmt.Errorf("seed file: %w", err)
	}
	return seeds, nil
}

// Plant puts a seed file into the simulator. What comes before an error stays.
func (s *Server) Plant(seeds Seeds) (Planted, error) {
	out := Planted{map[string]map[string]string{}, map[string]map[string]string{}, map[string][]string{}}
	for _, t := range seeds.Tenants {
		s.AddTenant(t)
	}
	for _, hw := range seeds.OwnedByOther {
		if err := s.SeedOwnedByOther(hw); err != nil {
			return out, err
		}
	}
	for _, seeded := range seeds.Contents {
		if err := s.plantTenant(seeded, out); err != nil {
			return out, fmt.Errorf("tenant %s: %w", seeded.Tenant, err)
		}
	}
	for _, f := range seeds.Faults {
		if _, err := s.AddFault(f); err != nil {
			return out, err
		}
	}
	return out, nil
}

func (s *Server) plantTenant(seeded TenantSeed, out Planted) error {
	groups := map[string]string{}
	profiles := map[string]string{}
	out.Groups[seeded.Tenant] = groups
	out.Profiles[seeded.Tenant] = profiles
	for _, g := range seeded.Groups {
		id, err := s.SeedGroup(seeded.Tenant, g.Name, g.Rule)
		if err != nil {
			return err
		}
		groups[g.Name] = id
	}
	for _, p := range seeded.Profiles {
		id, err := s.plantProfile(seeded.Tenant, p, groups)
		if err != nil {
			return err
		}
		profiles[p.Name] = id
	}
	for _, r := range seeded.Registered {
		id, err := s.SeedRegistered(seeded.Tenant, r)
		if err != nil {
			return err
		}
		out.Registered[seeded.Tenant] = append(out.Registered[seeded.Tenant], id)
	}
	if seeded.Approval == "" {
		return nil
	}
	return s.SetApproval(seeded.Tenant, seeded.Approval)
}

func (s *Server) plantProfile(tenantID string, p ProfileSeed, groups map[string]string) (string, error) {
	var ids []string
	for _, name := range p.Groups {
		id, known := groups[name]
		if name == "*" {
			id = "*"
			known = true
		}
		if !known {
			return "", fmt.Errorf("%w: profile %s: no group named %s", ErrSeed, p.Name, name)
		}
		ids = append(ids, id)
	}
	return s.SeedProfile(tenantID, p.Name, ids...)
}
