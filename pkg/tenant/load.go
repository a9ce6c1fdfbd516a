package tenant

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-playground/validator/v10"
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

// Load reads a tenants file (YAML, top level keys "tenants" and "operators"). Unknown keys, duplicate ids and keys, and values out of range
// are errors that name the place.
func Load(name string) (*Directory, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("tenants file: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	d, err := Parse(io.LimitReader(f, maxFile))
	if err != nil {
		return nil, fmt.Errorf("tenants file %s: %w", name, err)
	}
	return d, nil
}

// Parse is Load for a reader.
func Parse(r io.Reader) (*Directory, error) {
	raw, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	var parsed file
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	dec.KnownFields(true)
	if err := dec.Decode(&parsed); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	d, err := NewDirectory(parsed.Tenants...)
	if err != nil {
		return nil, err
	}
	return d, d.addOperators(parsed.Operators)
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
	setDefault(&t.Endpoints.Login, DefaultLogin)
	setDefault(&t.Endpoints.Graph, DefaultGraph)
	setDefault(&t.Credential.Kind, "secret")
	setDefault(&t.Limits.Writes, DefaultWrites)
	setDefault(&t.Limits.Reads, DefaultReads)
	setDefault(&t.Limits.Directory, DefaultDirectory)
	setDefault(&t.Limits.Window, DefaultWindow)
	setDefault(&t.Limits.ImportSize, DefaultImportSize)
	setDefault(&t.Policy.MaxGroupTag, DefaultGroupTag)
	if t.Policy.AllowVirtualMachine == nil {
		t.Policy.AllowVirtualMachine = new(true)
	}
	return t
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (t Tenant) check(v *validator.Validate, keys map[string]device.TenantID) error {
	if err := v.Struct(t); err != nil {
		return readable(err)
	}
	for i := range t.Keys {
		digest := strings.ToLower(t.Keys[i].SHA256)
		if other, dup := keys[digest]; dup {
			return fmt.Errorf("key %q is also a key of tenant %q", t.Keys[i].Name, other)
		}
		keys[digest] = t.ID
	}
	if err := t.Credential.check(); err != nil {
		return err
	}
	return t.checkGlobs()
}

func (c Credential) check() error {
	switch {
	case c.Kind == "secret" && c.SecretEnv == "" && c.SecretFile == "":
		return errors.New("credential: a secret needs secretEnv or secretFile")
	case c.Kind == "certificate" && c.CertFile == "":
		return errors.New("credential: a certificate needs certFile")
	}
	return nil
}

func (t Tenant) checkGlobs() error {
	globs := slices.Concat(t.Policy.Manufacturers, t.Policy.Models)
	for _, r := range t.Rules {
		globs = append(globs, append(slices.Clone(r.Serials), r.Manufacturer, r.Model, r.Source)...)
	}
	for _, s := range t.Policy.SourceTags {
		globs = append(globs, append(slices.Clone(s.Tags), s.Source)...)
	}
	for _, g := range globs {
		if _, err := path.Match(g, ""); err != nil {
			return fmt.Errorf("pattern %q: %w", g, err)
		}
	}
	return nil
}

func newValidator() *validator.Validate {
	v := validator.New(validator.WithRequiredStructEnabled())
	for tag, pattern := range map[string]*regexp.Regexp{
		"tenantid": regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`),
		"sourceid": regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,28}$`), // the name of a queue has at most 100 characters
	} {
		if err := v.RegisterValidation(tag, func(f validator.FieldLevel) bool { return pattern.MatchString(f.Field().String()) }); err != nil {
			panic(err) // a wrong tag name is a programming error, found by the first test
		}
	}
	return v
}

func readable(err error) error {
	fields, ok := errors.AsType[validator.ValidationErrors](err)
	if !ok {
		return err
	}
	var problems []string
	for _, f := range fields {
		problems = append(problems, fmt.Sprintf("%s must be %s%s", strings.TrimPrefix(f.Namespace(), "Tenant."), f.Tag(), paramOf(f)))
	}
	return errors.New(strings.Join(problems, "; "))
}

func paramOf(f validator.FieldError) string {
	if f.Param() == "" {
		return ""
	}
	return " " + f.Param()
}
