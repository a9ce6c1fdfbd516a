package validate

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/go-playground/validator/v10"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/tenant"
)

// tag is a struct tag of ours: how to check a text, and what to say when it does not fit.
type tag struct {
	fits   func(string) bool
	code   fault.Code
	detail string
}

// tags are registered once; a tag that is not here panics on first use, which the start-up test finds.
var tags = map[string]tag{
	"pkid": {isProductKeyID, fault.RowProductKeyInvalid, "A product key id has 13 digits."},
	"grouptag": {
		tenant.IsGroupTag,
		fault.RowGroupTagInvalid,
		"A group tag has no comma, quotation mark, control character or outer blank.",
	},
	"upn": {isUserPrincipalName, fault.RowUserInvalid, "A user principal name has the form name@domain."},
}

func newEngine() (*validator.Validate, error) {
	v := validator.New(validator.WithRequiredStructEnabled())
	v.RegisterTagNameFunc(func(f reflect.StructField) string {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		return name
	})
	v.RegisterCustomTypeFunc(reveal, device.ProductKeyID{})
	for name, t := range tags {
		err := v.RegisterValidation(name, func(f validator.FieldLevel) bool { return t.fits(f.Field().String()) })
		if err != nil {
			return nil, fmt.Errorf("tag %q: %w", name, err)
		}
	}
	return v, nil
}

// reveal shows the validator what a redacted type holds; no value leaves this package.
func reveal(v reflect.Value) any {
	if id, ok := v.Interface().(device.ProductKeyID); ok {
		return id.Reveal()
	}
	return nil
}

// shape holds the row against its struct tags.
func (v *Validator) shape(ctx context.Context, r Row) []Violation {
	fields, _ := errors.AsType[validator.ValidationErrors](v.engine.StructCtx(ctx, r))
	violations := make([]Violation, 0, len(fields))
	for _, f := range fields {
		t := tags[f.Tag()]
		violations = append(
			violations,
			Violation{Rule: f.Tag(), Column: Column(f.Field()), Code: t.code, Detail: t.detail},
		)
	}
	return violations
}

// productKeyDigits is the length of a product key id: Microsoft Partner Center, "Windows Autopilot device
// registration".
const productKeyDigits = 13

func isProductKeyID(s string) bool { return len(s) == productKeyDigits && isDigits(s) }

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// The limits of a user principal name: Microsoft Entra, "Prepare a nonroutable domain and userPrincipalName attribute".
const (
	maxUserName = 64
	maxDomain   = 48
)

func isUserPrincipalName(s string) bool {
	name, domain, found := strings.Cut(s, "@")
	if !found || name == "" || len(name) > maxUserName || len(domain) > maxDomain {
		return false
	}
	bad := func(r rune) bool { return !isWord(r) && !strings.ContainsRune(".'_-!#^~", r) }
	return !strings.ContainsFunc(name, bad) && !strings.HasPrefix(name, ".") && !strings.HasSuffix(name, ".") &&
		isDomain(domain)
}

func isDomain(s string) bool {
	labels := strings.Split(s, ".")
	for _, label := range labels {
		inner := func(r rune) bool { return !isWord(r) && r != '-' }
		if label == "" || strings.ContainsFunc(label, inner) || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
	}
	return len(labels) > 1
}

func isWord(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}
