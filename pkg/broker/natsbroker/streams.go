package natsbroker

import (
	"context"
	"errors"
	"reflect"

	"github.com/nats-io/nats.go/jetstream"

	"taxiway.example/pkg/fault"
)

func (b *Broker) workConfig() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:        workStream,
		Description: "Taxiway: work of all subscriptions",
		Subjects:    []string{prefix + ".ev.>", prefix + ".to.>"},
		Retention:   jetstream.LimitsPolicy,
		Discard:     jetstream.DiscardNew,
		MaxBytes:    b.MaxBytes,
		Duplicates:  dedupeWindow,
		Storage:     jetstream.FileStorage,
		Replicas:    b.Replicas,
		AllowDirect: true,
	}
}

// deadConfig has no dedupe window of ours: see storeDead.
func (b *Broker) deadConfig() jetstream.StreamConfig {
	cfg := b.workConfig()
	cfg.Name = deadStream
	cfg.Description = "Taxiway: dead letters"
	cfg.Subjects = []string{deadSubjects}
	cfg.DiscardNewPerSubject = true
	cfg.MaxMsgsPerSubject = 1
	cfg.MaxBytes = b.MaxDeadBytes
	cfg.Duplicates = 0
	return cfg
}

// setUp creates the streams that are missing: all at first, and one that was deleted while we run. What was in that is
// issued again from the ledger. With change the others are brought to our configuration.
func (b *Broker) setUp(ctx context.Context, change bool) error {
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	for _, cfg := range []jetstream.StreamConfig{b.workConfig(), b.deadConfig()} {
		if err := b.provide(ctx, cfg, change); err != nil {
			return fault.Wrap(err, fault.BrokerUnavailable, "the stream "+cfg.Name+" cannot be set up")
		}
	}
	return nil
}

// provide creates a stream or, with change, brings it to the configuration. One that has it is left alone: on a running
// server a change is no small matter, and every replica that starts would make one.
func (b *Broker) provide(ctx context.Context, want jetstream.StreamConfig, change bool) error {
	stream, err := b.js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		b.Logger.InfoContext(ctx, "creating a stream", "stream", want.Name)
		if _, err = b.js.CreateStream(ctx, want); !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			return err
		}
		stream, err = b.js.Stream(ctx, want.Name) // another replica was faster, perhaps with another configuration
	}
	if err != nil {
		return err
	}
	if want.Replicas == 0 {
		want.Replicas = stream.CachedInfo().Config.Replicas
	}
	if !change || has(stream.CachedInfo().Config, want) {
		return nil
	}
	_, err = b.js.UpdateStream(ctx, want)
	return err
}

// has reports whether a stream has what we configure; the server fills in the rest.
func has(config, want jetstream.StreamConfig) bool {
	changed := config
	changed.Description = want.Description
	changed.Subjects = want.Subjects
	changed.Retention = want.Retention
	changed.Discard = want.Discard
	changed.DiscardNewPerSubject = want.DiscardNewPerSubject
	changed.MaxBytes = want.MaxBytes
	changed.Storage = want.Storage
	changed.Replicas = want.Replicas
	changed.AllowDirect = want.AllowDirect
	if want.MaxMsgsPerSubject != 0 {
		changed.MaxMsgsPerSubject = want.MaxMsgsPerSubject
	}
	if want.MaxMsgSize != 0 {
		changed.MaxMsgSize = want.MaxMsgSize
	}
	if want.Duplicates != 0 {
		changed.Duplicates = want.Duplicates
	}
	return reflect.DeepEqual(config, changed)
}
