package hwhash

import (
	"encoding/binary"
	"strings"
	"time"
)

// Summarize reads what identity and validation need. It copies nothing out of the hash. The only error is CodeEmpty,
// for the zero Hash; everything else has been checked when h was made.
func Summarize(h Hash) (Summary, error) {
	if h.IsZero() {
		return Summary{}, fail(CodeEmpty, 0, 0, "There is no hash.")
	}
	s := Summary{hash: h}
	var seen sightings
	for t, p := range spans(h.raw()) {
		s.Warnings |= seen.note(t)
		if !seen.again {
			s.take(t, p)
		}
	}
	s.Warnings |= s.assess(seen)
	return s, nil
}

// sightings remembers which record types were seen, and whether the last one came again although it must not.
type sightings struct {
	types uint64
	again bool
}

func (s *sightings) note(t Type) Warnings {
	if !t.known() {
		s.again = false
		return Warnings(UnknownRecord)
	}
	bit := uint64(1) << t
	s.again = s.types&bit != 0 && !t.repeats()
	s.types |= bit
	if s.again {
		return Warnings(RepeatedRecord)
	}
	return 0
}

func (s sightings) has(t Type) bool { return s.types&(1<<t) != 0 }

// take keeps the record at p if a Summary has a place for it.
func (s *Summary) take(t Type, p span) {
	value := s.cut(p)
	ok := true
	switch t {
	case TypeTool:
		if ok = len(value) == toolSize; ok {
			s.CapturedAt = captureTime(value)
			s.OSType = OSType(value[toolOSType])
		}
	case TypeTPM:
		s.TPMVersion = tpmVersion(value)
	case TypeSerial:
		s.serial = p
	case TypeManufacturer:
		s.Manufacturer = trimText(value)
	case TypeProduct:
		s.Product = trimText(value)
	case TypeProductKeyID:
		s.productKeyID = p
	case TypeUUID:
		if ok = p.n == uuidSize; ok {
			s.uuid = p
		}
	case TypeEK:
		s.ek = p
	case TypeOfflineID:
		if at := ekHashIn(value); at.n > 0 {
			s.ekHash = span{p.off + at.off, at.n}
		}
	}
	if !ok {
		s.Warnings = s.Warnings.With(OddRecord)
	}
}

// check looks at the whole and returns the warnings that need it.
func (s *Summary) assess(seen sightings) Warnings {
	var w Warnings
	warn := func(warning Warning, when bool) {
		if when {
			w = w.With(warning)
		}
	}
	hasTPM := seen.has(TypeTPM) || s.HasEK()
	serial := s.RevealSerial()
	winPE := s.OSType == WinPE
	warn(WinPECapture, winPE && !s.HasEK())
	warn(NoTPM, !winPE && !hasTPM)
	warn(NoEK, !winPE && hasTPM && !s.HasEK())
	warn(OldTPM, s.TPMVersion != "" && s.TPMVersion != "2.0")
	warn(EmptySerial, serial == "")
	warn(EmptyManufacturer, s.Manufacturer == "")
	warn(EmptyProduct, s.Product == "")
	warn(PlaceholderSerial, serial != "" && SerialPlaceholder(serial) != NoPlaceholder)
	warn(VirtualMachine, isVirtual(s.Manufacturer, s.Product))
	warn(NoCaptureTime, s.CapturedAt.IsZero())
	return w
}

// The value of TypeTool: tool build and OS build, four u16 each, u32 time, i8 zone, u8 OS type, u8 architecture,
// u8 tool version.
const (
	toolSize    = 24
	toolOSBuild = 8
	toolTime    = 16
	toolZone    = 20
	toolOSType  = 21
	toolArch    = 22
	toolVersion = 23

	uuidSize = 16
)

// epoch is what capture times count from: 2000-01-01 00:00:00 UTC, in Unix seconds.
const epoch = 946684800

// captureTime reads the capture time out of the value of TypeTool.
func captureTime(value string) time.Time {
	seconds := binary.LittleEndian.Uint32([]byte(value[toolTime:]))
	return time.Unix(epoch+int64(seconds), 0).UTC()
}

// tpmVersion reads "2.0" out of "TPM-Version:2.0 -Level:0-…"; "" if the text is another one.
func tpmVersion(value string) string {
	_, rest, found := strings.Cut(untilNUL(value), tpmVersionLabel)
	if !found {
		return ""
	}
	version, _, _ := strings.Cut(rest, "-")
	return strings.TrimSpace(version)
}

const tpmVersionLabel = "TPM-Version:"
