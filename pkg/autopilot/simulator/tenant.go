package simulator

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Tenant is a directory with one app registration in it. Adding the same ID
// again with another ClientID gives the tenant a second app.
type Tenant struct {
	ID           string `json:"id"`
	ClientID     string `json:"clientId"`
	ClientSecret string `json:"clientSecret"`
	// Permissions limits the app to these application permissions; nil means
	// that nothing is refused.
	Permissions []string `json:"permissions,omitempty"`
}

// Errors of the seeding methods.
var (
	ErrTenant = errors.New("simulator: unknown tenant")
	ErrSeed   = errors.New("simulator: seed cannot be planted")
)

type app struct {
	secret string
	perms  []string
}

// tenant is everything one directory holds.
type tenant struct {
	id       string
	apps     map[string]app
	approval approval

	imported   *table[importedRecord]
	byImport   map[string][]*importedRecord
	identities *table[identity]
	devices    *table[device]
	byDeviceID map[string]*device
	groups     *table[group]
	profiles   *table[profile]
	settings   settingsState

	evaluated time.Time // when the last planned membership evaluation is due
}

// owner says which tenant a device belongs to. The identity is empty for
// devices of tenants that are not simulated.
type owner struct{ tenant, identity string }

// AddTenant makes a tenant, or gives an existing one another app.
func (s *Server) AddTenant(t Tenant) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := strings.ToLower(t.ID)
	have, known := s.tenants[id]
	if !known {
		have = newTenant(id)
		s.tenants[id] = have
		s.startBackgroundSync(have, s.progress())
	}
	have.apps[strings.ToLower(t.ClientID)] = app{t.ClientSecret, slices.Clone(t.Permissions)}
}

func newTenant(id string) *tenant {
	return &tenant{
		id: id, apps: map[string]app{},
		imported:   newTable(func(r *importedRecord) string { return r.id }),
		byImport:   map[string][]*importedRecord{},
		identities: newTable(func(d *identity) string { return d.sortKey }),
		devices:    newTable(func(d *device) string { return d.id }),
		byDeviceID: map[string]*device{},
		groups:     newTable(func(g *group) string { return g.id }),
		profiles:   newTable(func(p *profile) string { return p.id }),
	}
}

func (s *Server) tenant(id string) (*tenant, error) {
	t, known := s.tenants[strings.ToLower(id)]
	if !known {
		return nil, fmt.Errorf("%w: %s", ErrTenant, id)
	}
	return t, nil
}

// table is a set of rows, kept in an order that is not the order of arrival.
// A row's key must not change.
type table[T any] struct {
	rows  map[string]*T
	key   func(*T) string
	order []*T
}

func newTable[T any](key func(*T) string) *table[T] {
	return &table[T]{rows: map[string]*T{}, key: key}
}

func (t *table[T]) find(row *T) (int, bool) {
	return slices.BinarySearchFunc(
		t.order,
		t.key(row),
		func(have *T, want string) int { return strings.Compare(t.key(have), want) },
	)
}

func (t *table[T]) put(id string, row *T) {
	t.rows[id] = row
	at, _ := t.find(row)
	t.order = slices.Insert(t.order, at, row)
}

func (t *table[T]) remove(id string) {
	row, has := t.rows[id]
	if !has {
		return
	}
	delete(t.rows, id)
	if at, found := t.find(row); found {
		t.order = slices.Delete(t.order, at, at+1)
	}
}

// sorted returns the rows by their key; the caller must not change the slice,
// nor the table while it walks through it.
func (t *table[T]) sorted() []*T { return t.order }
