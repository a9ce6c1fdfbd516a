package ledgertest

import (
	"crypto/sha256"
	"fmt"
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/intake"
)

// captured is when the first capture of every sample was taken.
var captured = time.Date(2026, 5, 4, 8, 0, 0, 0, time.UTC)

// Candidate returns the row of sample device n: with a TPM key, a UUID and a serial of its own.
func Candidate(row, n int) intake.Candidate {
	return Identifiers(row, n, n, n)
}

// Identifiers returns a row with the TPM key, the UUID and the serial of the given sample devices; 0 leaves one out.
func Identifiers(row, ek, uuid, serial int) intake.Candidate {
	c := intake.Candidate{
		Row: row, Warnings: []string{"capture.old"},
		ProductKeyID: device.NewProductKeyID(fmt.Sprintf("%013d", serial)),
		GroupTag:     "Kiosk", User: "ada@contoso.example",
		Facts: device.Facts{TPM20: ek != 0},
	}
	c.Capture.Manufacturer = "Contoso"
	c.Capture.Product = "Book 3"
	c.Capture.CapturedAt = captured
	if ek != 0 {
		c.Capture.EKHash = sha256.Sum256(fmt.Appendf(nil, "ek %d", ek))
	}
	if uuid != 0 {
		sum := sha256.Sum256(fmt.Appendf(nil, "uuid %d", uuid))
		copy(c.Capture.UUID[:], sum[:])
	}
	if serial != 0 {
		c.Capture.Serial = Serial(serial)
	}
	return sealed(c, fmt.Sprintf("%d %d %d", ek, uuid, serial))
}

// Serial returns the serial of sample device n.
func Serial(n int) device.Serial { return device.NewSerial(fmt.Sprintf("Sn-%05dX", n)) }

// Recapture returns the row with the same device captured that many hours later.
func Recapture(c intake.Candidate, hours int) intake.Candidate {
	c.Capture.CapturedAt = c.Capture.CapturedAt.Add(time.Duration(hours) * time.Hour)
	return sealed(c, fmt.Sprintf("%s, %d hours later", c.Canonical, hours))
}

// sealed fills in what follows from the identifiers.
func sealed(c intake.Candidate, content string) intake.Candidate {
	c.Canonical = []byte(content)
	c.Capture.Digest = sha256.Sum256(c.Canonical)
	var err error
	if c.Candidate, err = device.CandidateOf(c.Capture); err != nil {
		panic(err) // a sample without any identifier
	}
	return c
}

// Rejected returns a row that is refused.
func Rejected(row int) intake.Candidate {
	return intake.Candidate{Row: row, Reject: &intake.Reject{
		Code: "hash.truncated", Column: "Hardware Hash", Detail: "1200 of 4000 characters",
	}}
}
