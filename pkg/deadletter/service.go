// Package deadletter is the operator's library for single cases: it lists and replays dead letters, and releases,
// retires or replaces a device. It knows nothing of HTTP; the API, the CLI and the console are skins over it.
//
// A dead letter stands in the ledger. That of a device is replayed there alone. That of a message is the entry for what
// the broker keeps in a dead-letter queue: the message goes back first, then the entry is closed.
//
// Each decision leaves an entry in the audit with its reason. What has happened is written down although the caller has
// gone meanwhile. Errors are faults.
package deadletter

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
)

// Ledger is the ledger's side of an operator's decisions.
type Ledger interface {
	ledger.DeadLetterReader
	ledger.DeadLetterWriter
	ledger.Decider
	ledger.Audit
}

// Queues are the dead-letter queues of a broker; broker.DeadLetters are.
type Queues interface {
	// Replay publishes a dead letter again under newID and removes it when that was confirmed. The same call again is
	// safe. One that is not there is a fault of kind fault.NotFound.
	Replay(ctx context.Context, subscription, id, newID string) error
}

// Deps are the parts a Service works with; all are required.
type Deps struct {
	Ledger Ledger
	Queues Queues
	Now    func() time.Time
	Logger *slog.Logger
}

// Service carries out what operators decide. It is safe for concurrent use.
type Service struct{ deps Deps }

// New returns a Service.
func New(d Deps) *Service { return &Service{d} }

// Operator is who decides. An operator of a tenant sees that tenant's dead letters and devices, and no others. A global
// operator, of no tenant, sees the dead letters of all tenants and those that name none, and no devices.
type Operator struct {
	Name   string          // of the key; timeline and audit say operator:NAME
	Tenant device.TenantID // "" = global
}

func (o Operator) actor() string { return "operator:" + o.Name }

// MaxReason bounds the reason of a decision, in bytes.
const MaxReason = 255

// checkReason returns a reason without the blanks around it.
func checkReason(reason string) (string, error) {
	reason = strings.TrimSpace(reason)
	if reason == "" || len(reason) > MaxReason || !ledger.IsText(reason) {
		return "", fault.Newf(
			fault.RequestInvalid,
			"Say why in reason, in at most %d bytes of UTF-8 without NUL.",
			MaxReason,
		)
	}
	return reason, nil
}
