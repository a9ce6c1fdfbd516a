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
	for subject, stream := range map[string]string{
		b.event(importer.Type, "contoso"): "taxiway-work",
		b.to(durable(importer)):           "taxiway-work",
		b.to(durable(queue("oem-a"))):     "taxiway-inbound_contoso_oem-a",
		b.deadLetter("importer", "a"):     "taxiway-dead-letters",
	} {
		err := b.verdict(&jetstream.APIError{ErrorCode: codeStoreFailed}, subject)
		if fault.CodeOf(err) != fault.BrokerBusy || !strings.Contains(err.Error(), stream+" is full") {
			t.Errorf("%s: %v", subject, err)
		}
	}
}

// A connection that is closed stays closed: there is nothing to wait for.
func TestPublishOnAClosedConnection(t *testing.T) {
	t.Parallel()
	b := newBackend(t).open(t, Options{PublishTimeout: time.Hour}).closing(t)
	b.nc.Close()
	if err := b.Publish(t.Context(), work("a")); fault.CodeOf(err) != fault.BrokerUnavailable || !strings.Contains(err.Error(), "closed") {
		t.Errorf("got %v", err)
	}
	if err := b.verdict(jetstream.ErrNoStreamResponse, ""); fault.CodeOf(err) != fault.BrokerUnavailable {
		t.Errorf("what comes of a closed connection: %v", err)
	}
}
