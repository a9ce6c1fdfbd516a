package tenant

import (
	"path"
	"slices"
	"strings"

	"taxiway.example/pkg/device"
)

// Subject is what rules ask about.
type Subject struct {
	Manufacturer string
	Model        string
	Source       string
	RowTag       string
	Serial       device.Serial
}

// SubjectOf returns what rules ask about a device that source has sent with the group tag rowTag. Maker, model and
// serial number are those inside the hash, whatever the row says.
func SubjectOf(i device.Identifiers, source, rowTag string) Subject {
	return Subject{Manufacturer: i.Manufacturer, Model: i.Product, Source: source, RowTag: rowTag, Serial: i.Serial}
}

// WantedTag returns the group tag that a device shall have, "" when nobody asks for one.
func (t Tenant) WantedTag(d device.Device) string {
	return t.TagFor(SubjectOf(d.Identifiers, d.Source, d.GroupTag))
}

// TagFor returns the group tag for a device: that of the first rule whose conditions all hold, else the row's own.
func (t Tenant) TagFor(s Subject) string {
	for _, r := range t.Rules {
		if r.matches(s) {
			return r.Tag
		}
	}
	return s.RowTag
}

func (r Rule) matches(s Subject) bool {
	return matchesOrAny(r.Manufacturer, s.Manufacturer) &&
		matchesOrAny(r.Model, s.Model) &&
		matchesOrAny(r.Source, s.Source) &&
		(r.RowTag == nil || Glob(*r.RowTag, s.RowTag)) &&
		(len(r.Serials) == 0 || AnyGlob(r.Serials, s.Serial.Reveal()))
}

func matchesOrAny(pattern, value string) bool { return pattern == "" || Glob(pattern, value) }

// Glob reports whether value matches the pattern: * stands for any characters, ? for one; case and outer blanks do not
// matter.
func Glob(pattern, value string) bool {
	fold := func(s string) string { return strings.ToLower(strings.ReplaceAll(strings.TrimSpace(s), "/", "\x00")) }
	ok, err := path.Match(fold(pattern), fold(value))
	return err == nil && ok
}

// AnyGlob reports whether one of the patterns matches.
func AnyGlob(patterns []string, value string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return Glob(p, value) })
}

// GroupFor returns the configured group id of a tag, "" when the group is to be discovered by its rule.
func (t Tenant) GroupFor(tag string) string {
	for _, g := range t.Groups {
		if strings.EqualFold(g.Tag, tag) {
			return g.ID
		}
	}
	return ""
}
