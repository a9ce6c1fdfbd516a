// Package tenant is the configuration of tenants: which Entra tenant they are, how to reach and sign in to Microsoft
// Graph, who may send devices for them, and which group tag a device gets.
package tenant

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"taxiway.example/pkg/budget"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
)

// Tenant is one configured tenant. The zero value of every optional field is useful; see Defaults.
type Tenant struct {
	ID            device.TenantID `yaml:"id"            validate:"required,tenantid"`
	EntraTenantID string          `yaml:"entraTenantId" validate:"required,uuid"`
	ClientID      string          `yaml:"clientId"      validate:"required,uuid"`
	Credential    Credential      `yaml:"credential"`
	Endpoints     Endpoints       `yaml:"endpoints"`
	Keys          []Key           `yaml:"keys"          validate:"dive"`
	Queues        []Queue         `yaml:"queues"        validate:"unique=Source,dive"`
	Rules         []Rule          `yaml:"rules"         validate:"dive"`
	Groups        []Group         `yaml:"groups"        validate:"dive"`
	Policy        Policy          `yaml:"policy"`
	Limits        Limits          `yaml:"limits"`
}

// Credential names how to sign in; secrets are references, never values.
type Credential struct {
	Kind string `yaml:"kind"       validate:"omitempty,oneof=secret certificate workload managed"` // default secret
	// name of an environment variable
	SecretEnv  string `yaml:"secretEnv"`
	SecretFile string `yaml:"secretFile"` // path of a file
	// PEM with certificate and key
	CertFile string `yaml:"certFile"`
}

// Endpoints are the hosts of a national cloud, or of the simulator.
type Endpoints struct {
	Login string `yaml:"login" validate:"omitempty,url"` // default https://login.microsoftonline.com
	Graph string `yaml:"graph" validate:"omitempty,url"` // without version; default https://graph.microsoft.com
}

// Key lets a sender act for the tenant; only its SHA-256 is configured.
type Key struct {
	Name     string `yaml:"name"     validate:"required"`
	SHA256   string `yaml:"sha256"   validate:"required,len=64,hexadecimal"`
	Operator bool   `yaml:"operator"` // may also see and replay dead letters
}

// Queue is a message queue that a source fills for the tenant; its name is inbound.<tenant>.<source>.
type Queue struct {
	Source   string `yaml:"source"   validate:"required,sourceid"`
	GroupTag string `yaml:"groupTag"` // for devices that come without one
}

// Rule gives a tag to devices that match every condition set; the first matching rule of the list wins. A row's own tag
// stands when no rule matches.
type Rule struct {
	Tag          string   `yaml:"tag"          validate:"required"`
	Manufacturer string   `yaml:"manufacturer"` // glob, compared folded
	Model        string   `yaml:"model"`        // glob on the product name, compared folded
	Source       string   `yaml:"source"`       // glob
	RowTag       *string  `yaml:"rowTag"`       // glob on the row's own tag; "" = rows without a tag
	Serials      []string `yaml:"serials"`      // globs, any of which
}

// Group names the dynamic group of a tag where discovery by rule is not wanted.
type Group struct {
	Tag string `yaml:"tag" validate:"required"`
	ID  string `yaml:"id"  validate:"required,uuid"`
}

// Policy says which rows are welcome.
type Policy struct {
	Manufacturers       []string `yaml:"manufacturers"`                        // globs; empty = any
	Models              []string `yaml:"models"`                               // globs; empty = any
	UserDomains         []string `yaml:"userDomains"`                          // empty = any
	MaxGroupTag         int      `yaml:"maxGroupTag"         validate:"gte=1"` // characters, default 64
	AllowVirtualMachine *bool    `yaml:"allowVirtualMachine"`                  // default true
	// tags whose profile is self-deploying or pre-provisioned
	TPMTags    []string     `yaml:"tpmTags"`
	SourceTags []SourceTags `yaml:"sourceTags"          validate:"dive"`
}

// SourceTags limits a source to some tags (globs).
type SourceTags struct {
	Source string   `yaml:"source" validate:"required"`
	Tags   []string `yaml:"tags"   validate:"min=1"`
}

// Limits are the tenant's share of Microsoft Graph.
type Limits struct {
	Writes int `yaml:"writes"     validate:"gte=1"` // POST, PATCH, DELETE each Window, default 60
	Reads  int `yaml:"reads"      validate:"gte=1"` // GET each Window, default 800
	// GET of Entra devices and groups each Window, default 2000
	Directory int           `yaml:"directory"  validate:"gte=1"`
	Window    time.Duration `yaml:"window"     validate:"gt=0"` // default 20 s
	// devices in one import call, default 100, hard cap 500
	ImportSize int `yaml:"importSize" validate:"gte=1,lte=500"`
}

// DirectoryRate returns the bucket of directory reads.
func (l Limits) DirectoryRate() budget.Rate { return budget.Rate{Limit: l.Directory, Window: l.Window} }

// WriteRate returns the bucket of writes. Who writes many at once deletes import records, which comes last.
func (l Limits) WriteRate() budget.Rate {
	return budget.Rate{Limit: l.Writes, Window: l.Window, Whole: true}
}

// ReadRate returns the bucket of reads.
func (l Limits) ReadRate() budget.Rate { return budget.Rate{Limit: l.Reads, Window: l.Window} }

// Directory finds tenants; it is immutable and safe for concurrent use.
type Directory struct {
	byID      map[device.TenantID]Tenant
	ids       []device.TenantID
	operators []Key
}

// Operators returns the keys of no tenant, which see and replay the dead letters of all of them.
func (d *Directory) Operators() []Key { return d.operators }

// Get returns the tenant, or a fault.TenantUnknown.
func (d *Directory) Get(id device.TenantID) (Tenant, error) {
	t, ok := d.byID[id]
	if !ok {
		return Tenant{}, fault.Newf(fault.TenantUnknown, "tenant %q", string(id))
	}
	return t, nil
}

// IDs returns the tenants' ids in the order of the configuration.
func (d *Directory) IDs() []device.TenantID { return d.ids }

// All returns the tenants in the order of the configuration.
func (d *Directory) All() []Tenant {
	all := make([]Tenant, len(d.ids))
	for i, id := range d.ids {
		all[i] = d.byID[id]
	}
	return all
}

// WithKey returns a directory in which the tenant has one key more. Everything else, the operators among it, is that of
// d, which stays as it is.
func (d *Directory) WithKey(id device.TenantID, k Key) (*Directory, error) {
	t, err := d.Get(id)
	if err != nil {
		return nil, err
	}
	all := d.All()
	all[slices.Index(d.ids, id)].Keys = append(slices.Clone(t.Keys), k)
	more, err := NewDirectory(all...)
	if err != nil {
		return nil, err
	}
	return more, more.addOperators(d.operators)
}

// Hash returns the SHA-256 of an API key as configured: 64 lower-case hexadecimal digits.
func Hash(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}
