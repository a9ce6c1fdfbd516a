package ledger

import (
	"context"
	"time"

	"taxiway.example/pkg/device"
)

// Claim asks for due work.
type Claim struct {
	Tenant device.TenantID
	Now    time.Time // what is due at this time or before
	Until  time.Time // when the same work is due again if nobody moves it: overdue
	Limit  int
}

// DueDevices issues device-by-device work.
type DueDevices interface {
	// ClaimDevices returns devices of a stage that are due and sets their due time to Until, oldest due first. Two
	// concurrent claims never return the same device.
	ClaimDevices(ctx context.Context, stage device.Stage, c Claim) ([]DueDevice, error)
}

// DueDevice is a claimed device, with what is needed to form chunks.
type DueDevice struct {
	ID         string
	Batch      string
	ChunkLimit int
}

// DueSubmissions issues submissions.
type DueSubmissions interface {
	// ClaimSubmissions is ClaimDevices for submissions in one of the states; it returns ids.
	ClaimSubmissions(ctx context.Context, c Claim, states ...SubmissionState) ([]string, error)
}
