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

func (b *Broker) deadConfig() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:                 b.dead(),
		Description:          "Taxiway: messages that were given up",
		Subjects:             b.deadSubjects(),
		Retention:            jetstream.LimitsPolicy,
		Discard:              jetstream.DiscardNew,
		DiscardNewPerSubject: true,
		MaxMsgsPerSubject:    1,
		MaxBytes:             b.MaxDeadBytes,
		Storage:              jetstream.FileStorage,
		Replicas:             b.Replicas,
		AllowDirect:          true,
	}
}

// setUp creates the streams or brings them to our configuration.
func (b *Broker) setUp(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	for _, cfg := range []jetstream.StreamConfig{b.workConfig(), b.deadConfig()} {
		if err := b.provide(ctx, cfg); err != nil {
			return fault.Wrap(err, fault.BrokerUnavailable, "the stream "+cfg.Name+" cannot be set up")
		}
	}
	return nil
}

// provide creates a stream or brings it to the configuration. One that has it is left alone: on a running server a change is
// no small matter, and every replica that starts would make one.
func (b *Broker) provide(ctx context.Context, want jetstream.StreamConfig) error {
	stream, err := b.js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		if _, err = b.js.CreateStream(ctx, want); !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			return err
		}
		stream, err = b.js.Stream(ctx, want.Name) // somebody else was faster, perhaps with another configuration
	}
	if err != nil {
		return err
	}
	if want.Replicas == 0 {
		want.Replicas = stream.CachedInfo().Config.Replicas
	}
	if has(stream.CachedInfo().Config, want) {
		return nil
	}
	_, err = b.js.UpdateStream(ctx, want)
	return err
}

// has reports whether a stream has what we configure; the server fills in the rest.
func has(config, want jetstream.StreamConfig) bool {
	changed := config
	changed.Description, changed.Subjects = want.Description, want.Subjects
	changed.Retention, changed.Discard, changed.DiscardNewPerSubject = want.Retention, want.Discard, want.DiscardNewPerSubject
	changed.MaxBytes, changed.Storage, changed.Replicas, changed.AllowDirect = want.MaxBytes, want.Storage, want.Replicas, want.AllowDirect
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

// restore creates a stream again that somebody deleted while we run. What was in it is issued again from the ledger.
func (b *Broker) restore(ctx context.Context) error {
	for _, cfg := range []jetstream.StreamConfig{b.workConfig(), b.deadConfig()} {
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
