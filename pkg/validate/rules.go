package validate

import (
	"cmp"
	"fmt"
	"strings"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/hwhash"
	"taxiway.example/pkg/tenant"
)

// rule is one named rule. A finding with an empty code says that all is well.
type rule struct {
	name      string
	needsHash bool
	check     func(Row, tenant.Policy) finding
}

type finding struct {
	code   fault.Code
	column Column
	detail string
}

// rules are checked in this order; the first violation is the one a receipt names.
var rules = []rule{
	{"hash", false, checkHash},
	{"hash_serial", true, checkHashSerial},
	{"hash_manufacturer", true, checkHashManufacturer},
	{"serial_match", true, checkSerial},
	{"manufacturer_match", true, checkManufacturer},
	{"model_match", true, checkModel},
	{"group_tag_length", false, checkTagLength},
	{"group_tag_of_source", false, checkSourceTag},
	{"user_domain", false, checkUserDomain},
	{"manufacturer_allowed", true, checkManufacturerAllowed},
	{"model_allowed", true, checkModelAllowed},
	{"tpm_for_tag", true, checkTPM},
	{"virtual_machine", true, checkVirtualMachine},
}

func checkHash(r Row, _ tenant.Policy) finding {
	if r.HashErr == nil {
		return finding{}
	}
	code, detail := OfHash(r.HashErr)
	if code == fault.RowHashMissing && r.Manufacturer != "" && r.Model != "" && !r.Serial.IsZero() {
		return finding{
			fault.RowTupleNotAccepted,
			ColumnHash,
			"The row names serial number, manufacturer and model, and no hash.",
		}
	}
	return finding{code, ColumnHash, detail}
}

func checkHashSerial(r Row, _ tenant.Policy) finding {
	if !r.Hash.Warnings.Has(hwhash.EmptySerial) {
		return finding{}
	}
	return finding{fault.HashEmptySerial, ColumnHash, "The firmware of the device names no serial number."}
}

func checkHashManufacturer(r Row, _ tenant.Policy) finding {
	if !r.Hash.Warnings.Has(hwhash.EmptyManufacturer) {
		return finding{}
	}
	return finding{fault.HashEmptyManufacturer, ColumnHash, "The firmware of the device names no manufacturer."}
}

func checkSerial(r Row, _ tenant.Policy) finding {
	inHash := device.NewSerial(r.Hash.RevealSerial())
	if r.Serial.IsZero() || inHash.IsZero() || r.Serial.Same(inHash) {
		return finding{}
	}
	if code := excelDamage(r.Serial.Reveal(), inHash.Reveal()); code != "" {
		return finding{code: code, column: ColumnSerial}
	}
	detail := "The serial number of the row is not the one inside the hash."
	if strength := inHash.Placeholder(); strength != hwhash.NoPlaceholder {
		detail = fmt.Sprintf("The row names a serial number; the hash holds a %s placeholder in its place.", strength)
	}
	return finding{fault.RowSerialMismatch, ColumnSerial, detail}
}

func checkManufacturer(r Row, _ tenant.Policy) finding {
	return differs(r.Manufacturer, r.Hash.Manufacturer, fault.RowManufacturerDiffers, ColumnManufacturer)
}

func checkModel(r Row, _ tenant.Policy) finding {
	return differs(r.Model, r.Hash.Product, fault.RowModelDiffers, ColumnModel)
}

func differs(inRow, inHash string, code fault.Code, column Column) finding {
	if inRow == "" || strings.EqualFold(strings.TrimSpace(inRow), inHash) {
		return finding{}
	}
	return finding{code: code, column: column}
}

func checkTagLength(r Row, p tenant.Policy) finding {
	if p.TagFits(r.GroupTag) {
		return finding{}
	}
	limit := cmp.Or(p.MaxGroupTag, tenant.DefaultGroupTag)
	return finding{
		fault.RowGroupTagInvalid,
		ColumnGroupTag,
		fmt.Sprintf("The group tag is longer than the %d characters of the tenant's setting policy.maxGroupTag.", limit),
	}
}

// checkSourceTag holds the row's own tag against what its source may use; a row without a tag leaves it to the rules.
func checkSourceTag(r Row, p tenant.Policy) finding {
	for _, s := range p.SourceTags {
		if r.GroupTag != "" && tenant.Glob(s.Source, r.Source) && !tenant.AnyGlob(s.Tags, r.GroupTag) {
			return finding{fault.RowTagDenied, ColumnGroupTag, "This sender may use other tags only."}
		}
	}
	return finding{}
}

func checkUserDomain(r Row, p tenant.Policy) finding {
	_, domain, found := strings.Cut(r.User, "@")
	if !found || len(p.UserDomains) == 0 {
		return finding{}
	}
	for _, allowed := range p.UserDomains {
		if strings.EqualFold(strings.TrimPrefix(allowed, "@"), domain) {
			return finding{}
		}
	}
	return finding{fault.RowUserDomainDenied, ColumnUser, "The domain is not on the tenant's list."}
}

func checkManufacturerAllowed(r Row, p tenant.Policy) finding {
	if len(p.Manufacturers) == 0 || tenant.AnyGlob(p.Manufacturers, r.Hash.Manufacturer) {
		return finding{}
	}
	return finding{
		fault.RowManufacturerDenied,
		ColumnHash,
		"The manufacturer inside the hash is not on the tenant's list.",
	}
}

func checkModelAllowed(r Row, p tenant.Policy) finding {
	if len(p.Models) == 0 || tenant.AnyGlob(p.Models, r.Hash.Product) {
		return finding{}
	}
	return finding{fault.RowModelDenied, ColumnHash, "The model inside the hash is not on the tenant's list."}
}

func checkTPM(r Row, p tenant.Policy) finding {
	if r.Tag == "" || !tenant.AnyGlob(p.TPMTags, r.Tag) || r.Hash.HasTPM2() {
		return finding{}
	}
	detail := "The profile behind the group tag attests the TPM, and the hash shows no TPM 2.0 with its key."
	if r.Hash.Warnings.Has(hwhash.WinPECapture) {
		detail = "The profile behind the group tag attests the TPM, and the hash was captured in WinPE, which cannot read it."
	}
	return finding{fault.RowTPMRequired, ColumnHash, detail}
}

func checkVirtualMachine(r Row, p tenant.Policy) finding {
	if p.AllowVirtualMachine == nil || *p.AllowVirtualMachine || !r.Hash.Warnings.Has(hwhash.VirtualMachine) {
		return finding{}
	}
	return finding{fault.RowVirtualMachine, ColumnHash, "Manufacturer and model are those of a virtual machine."}
}
