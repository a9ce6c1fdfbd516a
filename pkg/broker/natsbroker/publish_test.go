package natsbroker

import (
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"taxiway.example/pkg/fault"
)

// Who reads that a stream is full must know which one.
func TestFullStreamIsNamed(t *testing.T) {
	t.Parallel()
	b := newBackend(t).open(t, Options{}).closing(t)
	for _, stream := range []string{workStream, deadStream, placeOf(queue("oem-a")).stream} {
		err := b.final(&jetstream.APIError{ErrorCode: codeStoreFailed}, stream)
		if fault.CodeOf(err) != fault.BrokerBusy || !strings.Contains(err.Error(), stream+" is full") {
			t.Errorf("%s: %v", stream, err)
		}
	}
}

// A connection that is closed stays closed: there is nothing to wait for.
func TestPublishOnAClosedConnection(t *testing.T) {
	t.Parallel()
	b := newBackend(t).open(t, Options{PublishTimeout: time.Hour}).closing(t)
	b.nc.Close()
	if err := b.Publish(t.Context(), work("a")); fault.CodeOf(err) != fault.BrokerUnavailable ||
		!strings.Contains(err.Error(), "closed") {
		t.Errorf("got %v", err)
	}
	if err := b.final(jetstream.ErrNoStreamResponse, ""); fault.CodeOf(err) != fault.BrokerUnavailable {
		t.Errorf("what comes of a closed connection: %v", err)
	}
}
