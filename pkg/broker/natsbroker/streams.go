package natsbroker

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go/jetstream"

	"taxiway.example/pkg/fault"
)

func (b *Broker) workConfig() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:        b.work(),
		Description: "Taxiway: work of all subscriptions",
		Subjects:    b.workSubjects(),
		Retention:   jetstream.LimitsPolicy,
		Discard:     jetstream.DiscardNew,
		MaxBytes:    b.MaxBytes,
		Duplicates:  dedupeWindow,
		Storage:     jetstream.FileStorage,
		Replicas:    b.Replicas,
		AllowDirect: true,
	}
}

func (b *Broker) parkedConfig() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:                 b.parked(),
		Description:          "Taxiway: messages that were given up",
		Subjects:             b.parkedSubjects(),
		Retention:            jetstream.LimitsPolicy,
		Discard:              jetstream.DiscardNew,
		DiscardNewPerSubject: true,
		MaxMsgsPerSubject:    1,
		MaxBytes:             b.MaxParkedBytes,
		Storage:              jetstream.FileStorage,
		Replicas:             b.Replicas,
		AllowDirect:          true,
	}
}

// setUp creates the streams or brings them to our configuration.
func (b *Broker) setUp(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	for _, cfg := range []jetstream.StreamConfig{b.workConfig(), b.parkedConfig()} {
		if _, err := b.js.CreateOrUpdateStream(ctx, cfg); err != nil {
			return fault.Wrap(err, fault.BrokerUnavailable, "the stream "+cfg.Name+" cannot be set up")
		}
	}
	return nil
}

// restore creates a stream again that somebody deleted while we run. What was in it is issued again from the ledger.
func (b *Broker) restore(ctx context.Context) error {
	for _, cfg := range []jetstream.StreamConfig{b.workConfig(), b.parkedConfig()} {
		_, err := b.js.Stream(ctx, cfg.Name)
		if err == nil {
			continue
		}
		if !errors.Is(err, jetstream.ErrStreamNotFound) {
			return err
		}
		b.Logger.WarnContext(ctx, "a stream was deleted; creating it again", "stream", cfg.Name)
		if _, err := b.js.CreateStream(ctx, cfg); err != nil && !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			return err
		}
	}
	return nil
}
