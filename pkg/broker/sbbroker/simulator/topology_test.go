package simulator_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"taxiway.example/pkg/broker/sbbroker/simulator"
)

func TestReadTopology(t *testing.T) {
	t.Parallel()
	got, err := simulator.ReadTopology(strings.NewReader(`{
		"queues": [{
			"name": "q", "lockDuration": "PT30S", "maxDeliveryCount": 5, "maxSizeInMegabytes": 2048,
			"defaultMessageTimeToLive": "P1DT2H3M4S", "deadLetteringOnMessageExpiration": true,
			"requiresDuplicateDetection": true, "duplicateDetectionHistoryTimeWindow": "PT20S"
		}],
		"topics": [{
			"name": "t", "requiresDuplicateDetection": true, "defaultMessageTimeToLive": "P10675199DT2H48M5.4775807S",
			"subscriptions": [{"name": "s", "maxDeliveryCount": 7}]
		}]
	}`))
	if err != nil {
		t.Fatal(err)
	}
	want := simulator.Topology{
		Queues: []simulator.Queue{{
			Name:  "q",
			Inbox: simulator.Inbox{DuplicateWindow: 20 * time.Second, MaxSizeInMegabytes: 2048},
			Outbox: simulator.Outbox{
				LockDuration: 30 * time.Second, MaxDeliveryCount: 5,
				DefaultMessageTimeToLive:         26*time.Hour + 3*time.Minute + 4*time.Second,
				DeadLetteringOnMessageExpiration: true,
			},
		}},
		Topics: []simulator.Topic{{
			Name: "t", Inbox: simulator.Inbox{DuplicateWindow: 10 * time.Minute},
			Subscriptions: []simulator.Subscription{{Name: "s", Outbox: simulator.Outbox{MaxDeliveryCount: 7}}},
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestReadTopologyRefuses(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"nothing":         ``,
		"unknown field":   `{"queues": [{"name": "q", "lockduration_": "PT1M"}]}`,
		"two values":      `{} {}`,
		"no duration":     `{"queues": [{"name": "q", "lockDuration": "1m"}]}`,
		"empty duration":  `{"queues": [{"name": "q", "lockDuration": "P"}]}`,
		"dangling T":      `{"queues": [{"name": "q", "lockDuration": "P1DT"}]}`,
		"window unasked":  `{"queues": [{"name": "q", "duplicateDetectionHistoryTimeWindow": "PT1M"}]}`,
		"window on topic": `{"topics": [{"name": "q", "duplicateDetectionHistoryTimeWindow": "PT1M"}]}`,
	} {
		if got, err := simulator.ReadTopology(strings.NewReader(text)); !errors.Is(err, simulator.ErrTopology) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
}

func TestTopologyRefused(t *testing.T) {
	t.Parallel()
	queue := func(q simulator.Queue) simulator.Topology {
		return simulator.Topology{Queues: []simulator.Queue{q}}
	}
	topic := func(q simulator.Topic) simulator.Topology {
		return simulator.Topology{Topics: []simulator.Topic{q}}
	}
	sub := func(s simulator.Subscription) simulator.Topology {
		return topic(simulator.Topic{Name: "t", Subscriptions: []simulator.Subscription{s}})
	}
	for name, top := range map[string]simulator.Topology{
		"no name":             queue(simulator.Queue{}),
		"long name":           queue(simulator.Queue{Name: strings.Repeat("x", 261)}),
		"dollar":              queue(simulator.Queue{Name: "$cbs"}),
		"reserved segment":    queue(simulator.Queue{Name: "a/Subscriptions/b"}),
		"empty segment":       queue(simulator.Queue{Name: "a//b"}),
		"twice":               {Queues: []simulator.Queue{{Name: "a"}, {Name: "A"}}},
		"queue and topic":     {Queues: []simulator.Queue{{Name: "a"}}, Topics: []simulator.Topic{{Name: "A"}}},
		"long lock":           queue(simulator.Queue{Name: "a", Outbox: simulator.Outbox{LockDuration: 6 * time.Minute}}),
		"negative deliveries": queue(simulator.Queue{Name: "a", Outbox: simulator.Outbox{MaxDeliveryCount: -1}}),
		"negative TTL":        queue(simulator.Queue{Name: "a", Outbox: simulator.Outbox{DefaultMessageTimeToLive: -1}}),
		"short window":        queue(simulator.Queue{Name: "a", Inbox: simulator.Inbox{DuplicateWindow: time.Second}}),
		"negative size":       queue(simulator.Queue{Name: "a", Inbox: simulator.Inbox{MaxSizeInMegabytes: -1}}),
		"topic name":          topic(simulator.Topic{Name: "a b"}),
		"topic window":        topic(simulator.Topic{Name: "t", Inbox: simulator.Inbox{DuplicateWindow: 8 * 24 * time.Hour}}),
		"topic TTL":           topic(simulator.Topic{Name: "t", DefaultMessageTimeToLive: -1}),
		"subscription name":   sub(simulator.Subscription{Name: strings.Repeat("x", 51)}),
		"subscription lock":   sub(simulator.Subscription{Name: "s", Outbox: simulator.Outbox{LockDuration: -1}}),
		"subscription twice": topic(simulator.Topic{Name: "t", Subscriptions: []simulator.Subscription{
			{Name: "s"}, {Name: "S"},
		}}),
	} {
		if _, err := simulator.New(top); !errors.Is(err, simulator.ErrTopology) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEntitiesAtRunTime(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	b.must(b.server.AddQueue(simulator.Queue{Name: "fresh"}))
	b.send(b.sender("fresh"), "a")
	b.want("fresh", simulator.Counts{Active: 1})
	b.must(b.server.AddTopic(simulator.Topic{Name: "news"}))
	s := b.sender("news")
	b.send(s, "nobody listens")
	b.must(b.server.AddSubscription("news", simulator.Subscription{Name: "late"}))
	b.send(s, "a")
	b.want("news/Subscriptions/late", simulator.Counts{Active: 1})
	if err := b.server.AddSubscription("plain", simulator.Subscription{Name: "s"}); !errors.Is(
		err,
		simulator.ErrTopology,
	) {
		t.Errorf("a queue got a subscription: %v", err)
	}
}

// TestDocumentedTopology holds docs/servicebus-simulator.md to the code.
func TestDocumentedTopology(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "docs", "servicebus-simulator.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```json\n")
	sample, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("the page has no sample")
	}
	top, err := simulator.ReadTopology(strings.NewReader(sample))
	if err != nil {
		t.Fatal(err)
	}
	s, err := simulator.New(top)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
