package tenant

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"taxiway.example/pkg/device"
)

// The defaults of a tenant; see reference pages "Throttling limits (Intune)" and "Import Autopilot devices".
const (
	DefaultLogin      = "https://login.microsoftonline.com"
	DefaultGraph      = "https://graph.microsoft.com"
	DefaultWrites     = 60
	DefaultReads      = 800
	DefaultDirectory  = 2000
	DefaultWindow     = 20 * time.Second
	DefaultImportSize = 100
	MaxImportSize     = 500
	DefaultGroupTag   = 64
)

// maxFile bounds what is read of a configuration file, in bytes.
const maxFile = 8 << 20

// file is the shape of the tenants file.
type file struct {
	Tenants   []Tenant `yaml:"tenants"`
	Operators []Key    `yaml:"operators" validate:"dive"` // keys of no tenant, which see the dead letters of all of them
}

// Load reads a tenants file (YAML, top level keys "tenants" and "operators"). Unknown keys, duplicate ids and keys, and
// values out of range are errors that name the place.
func Load(name string) (*Directory, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("tenants file: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	d, err := Parse(f)
	if err != nil {
		return nil, fmt.Errorf("tenants file %s: %w", name, err)
	}
	return d, nil
}

// Parse is Load for a reader.
func Parse(r io.Reader) (*Directory, error) {
	parsed, err := decode(r)
	if err != nil {
		return nil, err
	}
	if len(parsed.Tenants) == 0 {
		return nil, errors.New("there are no tenants in it")
	}
	d, err := NewDirectory(parsed.Tenants...)
	if err != nil {
		return nil, err
	}
	return d, d.addOperators(parsed.Operators)
}

// decode reads the one document that a tenants file has.
func decode(r io.Reader) (file, error) {
	var parsed file
	raw, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	switch {
	case err != nil:
		return parsed, err
	case len(raw) > maxFile:
		return parsed, fmt.Errorf("it is larger than %d bytes", maxFile)
	}
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	dec.KnownFields(true)
	if err := dec.Decode(&parsed); err != nil && !errors.Is(err, io.EOF) {
		return parsed, err
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return parsed, errors.Join(
			errors.New("a second YAML document begins behind the first; put all tenants into one"),
			err,
		)
	}
	return parsed, nil
}

func (d *Directory) addOperators(keys []Key) error {
	if err := newValidator().Struct(file{Operators: keys}); err != nil {
		return readable(err)
	}
	for _, k := range keys {
		for _, t := range d.byID {
			if slices.ContainsFunc(t.Keys, func(other Key) bool { return strings.EqualFold(other.SHA256, k.SHA256) }) {
				return fmt.Errorf("operator %q has a key of tenant %q", k.Name, t.ID)
			}
		}
	}
	d.operators = keys
	return nil
}

// NewDirectory fills in defaults, checks the tenants and returns their directory.
func NewDirectory(tenants ...Tenant) (*Directory, error) {
	d := &Directory{byID: make(map[device.TenantID]Tenant, len(tenants))}
	keys := map[string]device.TenantID{}
	check := newValidator()
	for i, t := range tenants {
		t = t.withDefaults()
		if err := t.check(check, keys); err != nil {
			return nil, fmt.Errorf("tenant %d (%q): %w", i+1, t.ID, err)
		}
		if _, dup := d.byID[t.ID]; dup {
			return nil, fmt.Errorf("tenant %d: the id %q stands twice", i+1, t.ID)
		}
		d.byID[t.ID] = t
		d.ids = append(d.ids, t.ID)
	}
	return d, nil
}

func (t Tenant) withDefaults() Tenant {
	t.Endpoints.Login = cmp.Or(t.Endpoints.Login, DefaultLogin)
	t.Endpoints.Graph = cmp.Or(t.Endpoints.Graph, DefaultGraph)
	t.Credential.Kind = cmp.Or(t.Credential.Kind, "secret")
	t.Limits.Writes = cmp.Or(t.Limits.Writes, DefaultWrites)
	t.Limits.Reads = cmp.Or(t.Limits.Reads, DefaultReads)
	t.Limits.Directory = cmp.Or(t.Limits.Directory, DefaultDirectory)
	t.Limits.Window = cmp.Or(t.Limits.Window, DefaultWindow)
	t.Limits.ImportSize = cmp.Or(t.Limits.ImportSize, DefaultImportSize)
	t.Policy.MaxGroupTag = cmp.Or(t.Policy.MaxGroupTag, DefaultGroupTag)
	if t.Policy.AllowVirtualMachine == nil {
		t.Policy.AllowVirtualMachine = new(true)
	}
	return t
}
