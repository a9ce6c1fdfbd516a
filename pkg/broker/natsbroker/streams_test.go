package natsbroker

import (
	"encoding/json"
	"testing"

	"github.com/nats-io/nats.go"
)

// A replica that starts leaves streams alone that are as they should be, and changes those that are not.
func TestStreamsAreChangedOnlyWhenTheyDiffer(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	b.open(t, Options{}).closing(t)
	nc, _ := b.sender(t)
	updates := make(chan *nats.Msg, 10)
	if _, err := nc.ChanSubscribe("$JS.EVENT.ADVISORY.STREAM.UPDATED.>", updates); err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	b.open(t, Options{}).closing(t)
	b.open(t, Options{MaxDeadBytes: 1 << 20}).closing(t)
	var first struct{ Stream string }
	if err := json.Unmarshal(next(t, updates).Data, &first); err != nil || first.Stream != "taxiway-dead-letters" {
		t.Errorf("the first change was to %q: %v", first.Stream, err)
	}
	b.open(t, Options{}).closing(t)
	var second struct{ Stream string }
	if err := json.Unmarshal(next(t, updates).Data, &second); err != nil || second.Stream != "taxiway-dead-letters" ||
		len(updates) > 0 {
		t.Errorf("the second change was to %q, and %d more: %v", second.Stream, len(updates), err)
	}
}
