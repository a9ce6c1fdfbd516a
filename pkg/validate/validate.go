package validate

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/go-playground/validator/v10"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/hwhash"
	"taxiway.example/pkg/tenant"
)

// Column is the name of a cell in answers, whatever the file called it.
type Column string

// The columns.
const (
	ColumnSerial       Column = "serialNumber"
	ColumnProductKeyID Column = "productKeyId"
	ColumnHash         Column = "hardwareHash"
	ColumnManufacturer Column = "manufacturer"
	ColumnModel        Column = "model"
	ColumnGroupTag     Column = "groupTag"
	ColumnUser         Column = "assignedUser"
)

// Row is a device as somebody described it, beside the hash that was read. Empty cells are empty texts.
type Row struct {
	Serial       device.Serial       `json:"serialNumber"`
	ProductKeyID device.ProductKeyID `json:"productKeyId" validate:"omitempty,pkid"`
	Manufacturer string              `json:"manufacturer"`
	Model        string              `json:"model"`
	GroupTag     string              `json:"groupTag"     validate:"omitempty,grouptag"`
	User         string              `json:"assignedUser" validate:"omitempty,upn"`

	Source   string         `json:"-"` // who sent it
	Tag      string         `json:"-"` // the tag it will get: by the tenant's rules, else its own
	Received time.Time      `json:"-"` // when it came in
	Hash     hwhash.Summary `json:"-" validate:"-"`
	HashErr  error          `json:"-" validate:"-"` // why there is no Hash
}

// Violation is a rule that a row breaks.
type Violation struct {
	Rule   string
	Column Column
	Code   fault.Code
	Detail string // a sentence that holds no value
}

// Result is what the rules say about a row.
type Result struct {
	Violations   []Violation  // errors, in the order of the rules
	Warnings     []fault.Code // codes of kind fault.Notice, each once
	ProductKeyID device.ProductKeyID
}

// OK reports whether nothing stops the row.
func (v Result) OK() bool { return len(v.Violations) == 0 }

// Validator holds the one validator instance. It is safe for concurrent use.
type Validator struct{ engine *validator.Validate }

// New returns a Validator. The error is a programming error in the tags.
func New() (*Validator, error) {
	engine, err := newEngine()
	if err != nil {
		return nil, err
	}
	return &Validator{engine: engine}, nil
}

// Check checks a row by the rules, in the light of the tenant's policy, and by its shape.
func (v *Validator) Check(ctx context.Context, p tenant.Policy, r Row) Result {
	result := Result{ProductKeyID: r.ProductKeyID}
	if isExponent(r.ProductKeyID.Reveal()) {
		r.ProductKeyID = device.ProductKeyID{}
		result.ProductKeyID = device.ProductKeyID{}
		result.add("product_key_id", finding{code: fault.RowProductKeyDropped, column: ColumnProductKeyID})
	}
	for _, rule := range rules {
		if rule.needsHash && r.HashErr != nil {
			continue
		}
		result.add(rule.name, rule.check(r, p))
	}
	result.Violations = append(result.Violations, v.shape(ctx, r)...)
	if r.HashErr == nil {
		result.Warnings = append(result.Warnings, hashWarnings(r)...)
	}
	return result
}

// errNoRow stands for the hash of a request that has none.
var errNoRow = errors.New("no row")

// CheckRequest checks a group tag and a user that are asked for without a row; either may be empty.
func (v *Validator) CheckRequest(ctx context.Context, p tenant.Policy, tag, user string) []Violation {
	result := v.Check(ctx, p, Row{GroupTag: tag, Tag: tag, User: user, HashErr: errNoRow})
	return slices.DeleteFunc(result.Violations, func(one Violation) bool {
		return one.Column != ColumnGroupTag && one.Column != ColumnUser
	})
}

func (v *Result) add(rule string, f finding) {
	switch {
	case f.code == "":
	case f.code.Kind() == fault.Notice:
		v.Warnings = append(v.Warnings, f.code)
	default:
		v.Violations = append(v.Violations, Violation{Rule: rule, Column: f.column, Code: f.code, Detail: f.detail})
	}
}
