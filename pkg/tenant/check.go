package tenant

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/go-playground/validator/v10"

	"taxiway.example/pkg/device"
)

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
	return cmp.Or(t.Credential.check(), t.checkTags(), t.checkGlobs())
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

// field is a place in the configuration and the texts that stand there.
type field struct {
	name  string
	texts []string
}

// checkTags holds the tags that the configuration gives, or waits for, to what is asked of a row's tag: a device that
// gets another one would never be grouped.
func (t Tenant) checkTags() error {
	var tags []field
	for i, r := range t.Rules {
		tags = append(tags, field{fmt.Sprintf("rules[%d].tag", i), []string{r.Tag}})
	}
	for i, q := range t.Queues {
		tags = append(tags, field{fmt.Sprintf("queues[%d].groupTag", i), []string{q.GroupTag}})
	}
	for i, g := range t.Groups {
		tags = append(tags, field{fmt.Sprintf("groups[%d].tag", i), []string{g.Tag}})
	}
	for _, f := range tags {
		switch tag := f.texts[0]; {
		case !IsGroupTag(tag):
			return fmt.Errorf(
				"%s: a group tag has no comma, quotation mark, control character or outer blank, as %q has",
				f.name,
				tag,
			)
		case !t.Policy.TagFits(tag):
			return fmt.Errorf(
				"%s: %q is longer than policy.maxGroupTag, %d characters",
				f.name,
				tag,
				t.Policy.maxGroupTag(),
			)
		}
	}
	return nil
}

func (t Tenant) checkGlobs() error {
	globs := []field{
		{
			"policy.manufacturers",
			t.Policy.Manufacturers,
		}, {"policy.models", t.Policy.Models}, {"policy.tpmTags", t.Policy.TPMTags},
	}
	for i, s := range t.Policy.SourceTags {
		globs = append(globs, field{fmt.Sprintf("policy.sourceTags[%d]", i), append(slices.Clone(s.Tags), s.Source)})
	}
	for i, r := range t.Rules {
		conditions := append(slices.Clone(r.Serials), r.Manufacturer, r.Model, r.Source)
		if r.RowTag != nil {
			conditions = append(conditions, *r.RowTag)
		}
		globs = append(globs, field{fmt.Sprintf("rules[%d]", i), conditions})
	}
	for _, f := range globs {
		for _, g := range f.texts {
			if _, err := path.Match(g, ""); err != nil {
				return fmt.Errorf("%s: pattern %q: %w", f.name, g, err)
			}
		}
	}
	return nil
}

func newValidator() *validator.Validate {
	v := validator.New(validator.WithRequiredStructEnabled())
	v.RegisterTagNameFunc(func(f reflect.StructField) string { return f.Tag.Get("yaml") })
	source := regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,28}$`) // the name of a queue has at most 100 characters
	for tag, valid := range map[string]func(string) bool{
		"tenantid": func(s string) bool { return device.TenantID(s).Valid() },
		"sourceid": source.MatchString,
	} {
		check := func(f validator.FieldLevel) bool { return valid(f.Field().String()) }
		if err := v.RegisterValidation(tag, check); err != nil {
			panic(err) // a wrong tag name is a programming error, found by the first test
		}
	}
	return v
}

// readable names the fields by their keys in the file.
func readable(err error) error {
	fields, ok := errors.AsType[validator.ValidationErrors](err)
	if !ok {
		return err
	}
	var problems []string
	for _, f := range fields {
		_, place, _ := strings.Cut(f.Namespace(), ".") // behind the name of our type
		problems = append(problems, strings.TrimSpace(fmt.Sprintf("%s must be %s %s", place, f.Tag(), f.Param())))
	}
	return errors.New(strings.Join(problems, "; "))
}
