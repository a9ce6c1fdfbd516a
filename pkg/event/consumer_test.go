package event_test

import (
	"slices"
	"testing"
	"time"

	"taxiway.example/pkg/event"
)

// Every type that can be encoded stands in the table once, and no other.
func TestConsumption(t *testing.T) {
	t.Parallel()
	var got []event.Type
	for _, c := range event.Consumption() {
		got = append(got, c.Type)
		e := event.ForDevices(c.Type, "/test", "contoso", []string{"d1"}, time.Now())
		if c.Type == event.SubmissionDue {
			e = event.ForSubmission("/test", "contoso", "s1", time.Now())
		}
		if _, _, err := event.Encode(e); err != nil {
			t.Errorf("%s: %v", c.Type, err)
		}
	}
	want := []event.Type{event.DevicesCollected, event.SubmissionDue, event.DevicesRegistered, event.DevicesReady}
	if !slices.Equal(got, want) {
		t.Errorf("the table has %v, want %v", got, want)
	}
}

func TestTypesOf(t *testing.T) {
	t.Parallel()
	for consumer, want := range map[string][]event.Type{
		event.Importer: {event.DevicesCollected, event.SubmissionDue},
		event.Grouper:  {event.DevicesRegistered},
		"nobody":       nil,
	} {
		if got := event.TypesOf(consumer); !slices.Equal(got, want) {
			t.Errorf("%s takes %v, want %v", consumer, got, want)
		}
	}
}
