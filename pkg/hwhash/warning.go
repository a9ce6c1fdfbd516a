package hwhash

import (
	"iter"
	"strings"
	"time"
)

// Warnings is a set of Warning.
type Warnings uint16

// Warning is one oddity of a hash that is otherwise valid. Warnings never stop a hash; a policy may.
type Warning Warnings

// The warnings.
const (
	NoTPM             Warning = 1 << iota // no TPM record: captured without TPM driver, or there is none
	NoEK                                  // a TPM without its endorsement key
	WinPECapture                          // no TPM key, as WinPE cannot read it; stands instead of NoTPM and NoEK
	OldTPM                                // a TPM that is not 2.0
	EmptySerial                           // no serial; Microsoft answers 802 InvalidZtdHardwareHash
	EmptyManufacturer                     // no manufacturer; Microsoft answers 802 InvalidZtdHardwareHash
	EmptyProduct                          // no product name
	PlaceholderSerial                     // the serial is a placeholder such as "Default string", listed or suspected
	VirtualMachine                        // manufacturer and product are those of a virtual machine
	FutureCapture                         // captured later than now; the clock of the device is wrong
	NoCaptureTime                         // no record 1
	RepeatedRecord                        // a record that comes once came again; the first one counts
	UnknownRecord                         // a record type nobody has described yet
	OddRecord                             // a known record whose value has another shape; it was not read

	lastWarning = OddRecord
)

// warningText holds the stable code and what a technician does about it.
var warningText = map[Warning][2]string{
	NoTPM: {
		"no_tpm",
		"Self-deploying and pre-provisioning will not work. Enable the TPM in the firmware and capture again in the full OS.",
	},
	NoEK: {"no_ek", "Captured without the TPM provider. Capture again in the full OS or at OOBE."},
	WinPECapture: {
		"winpe_capture",
		"Captured in WinPE, which cannot read the TPM: capture again in the full OS for self-deploying and pre-provisioning.",
	},
	OldTPM: {
		"old_tpm",
		"Self-deploying and pre-provisioning need TPM 2.0. Switch the TPM to 2.0 in the firmware, or use a user-driven " +
			"profile.",
	},
	EmptySerial: {
		"empty_serial",
		"Microsoft refuses such a hash (802). Write the serial to the firmware with the maker's tool and capture again.",
	},
	EmptyManufacturer: {
		"empty_manufacturer",
		"Microsoft refuses such a hash (802). Write the manufacturer to the firmware with the maker's tool and capture " +
			"again.",
	},
	EmptyProduct: {
		"empty_product",
		"Write the product name to the firmware with the maker's tool and capture again.",
	},
	PlaceholderSerial: {
		"placeholder_serial",
		"Firmware gives such a serial to many machines, or it looks that way. Unless the label shows the same, write " +
			"the serial with the maker's tool and capture again.",
	},
	VirtualMachine: {"virtual_machine", "Register virtual machines on purpose only; clones share their identity."},
	FutureCapture: {
		"future_capture",
		"The clock of the device was ahead. Harmless, but a later capture with a right clock will look older.",
	},
	NoCaptureTime: {
		"no_capture_time",
		"Nobody can say which of two captures is newer. Capture again with a current tool.",
	},
	RepeatedRecord: {"repeated_record", "Nothing to do: the first one counts."},
	UnknownRecord:  {"unknown_record", "Nothing to do: a newer Windows added a field."},
	OddRecord:      {"odd_record", "The field was not read. Capture again with a current tool."},
}

// AllWarnings returns the set of all warnings.
func AllWarnings() Warnings { return Warnings(lastWarning<<1 - 1) }

// String returns the stable code, such as "no_tpm".
func (w Warning) String() string { return warningText[w][0] }

// Advice says what a technician does about it.
func (w Warning) Advice() string { return warningText[w][1] }

// Has reports whether w is in the set.
func (s Warnings) Has(w Warning) bool { return s&Warnings(w) != 0 }

// With returns the set with w in it.
func (s Warnings) With(w Warning) Warnings { return s | Warnings(w) }

// All yields the warnings of the set in a fixed order.
func (s Warnings) All() iter.Seq[Warning] {
	return func(yield func(Warning) bool) {
		for w := Warning(1); w <= lastWarning; w <<= 1 {
			if s.Has(w) && !yield(w) {
				return
			}
		}
	}
}

// String returns the codes, separated by commas.
func (s Warnings) String() string {
	var codes []string
	for w := range s.All() {
		codes = append(codes, w.String())
	}
	return strings.Join(codes, ",")
}

// clockSkew is how far ahead the clock of a device may be before anybody is warned.
const clockSkew = 24 * time.Hour

// WarningsAt returns the warnings, with FutureCapture added if the capture lies more than a day after now.
func (s Summary) WarningsAt(now time.Time) Warnings {
	if s.CapturedAt.After(now.Add(clockSkew)) {
		return s.Warnings.With(FutureCapture)
	}
	return s.Warnings
}
