package broker

import (
	"context"
	"errors"
)

var errShort = errors.New("the handler returned fewer outcomes than it got deliveries")

// Held is a delivery as an adapter holds it; Lease ends when somebody else may get it.
type Held struct {
	Delivery
	Lease context.Context
}

// HandleBatch calls a batch handler once and returns the outcome of each delivery, for adapters. The call ends with ctx or when
// one of the leases is lost; a delivery that the handler says nothing of is to come again.
func HandleBatch(ctx context.Context, held []Held, h BatchHandler) []Outcome {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	deliveries := make([]Delivery, len(held))
	for i, d := range held {
		deliveries[i] = d.Delivery
		defer context.AfterFunc(d.Lease, stop)()
	}
	answers := h(ctx, deliveries)
	outcomes := make([]Outcome, len(held))
	for i := range outcomes {
		err := errShort
		if i < len(answers) {
			err = answers[i]
		}
		outcomes[i] = OutcomeOf(ctx, err)
	}
	return outcomes
}
