package e2e

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"taxiway.example/pkg/awaittest"
	"taxiway.example/pkg/broker"
)

// tap is a broker under a test's eyes: it keeps what is published, knows what was handled, and can lose messages.
type tap struct {
	broker.Broker

	mu        sync.Mutex
	sent      []broker.Message
	types     map[string]bool           // those with a subscription
	handled   map[string]broker.Outcome // by message id
	losing    map[string]bool           // types whose messages are acknowledged and forgotten
	lost      map[string]int            // by type
	published func(t string)            // called behind each publish of ours, with its type
}

func newTap() *tap {
	return &tap{
		types: map[string]bool{}, handled: map[string]broker.Outcome{}, losing: map[string]bool{}, lost: map[string]int{},
	}
}

// hook is for allinone.Hooks.
func (t *tap) hook(b broker.Broker) broker.Broker {
	t.Broker = b
	return t
}

// Publish publishes and keeps a copy.
func (t *tap) Publish(ctx context.Context, messages ...broker.Message) error {
	if err := t.Broker.Publish(ctx, messages...); err != nil {
		return err
	}
	t.mu.Lock()
	t.sent = append(t.sent, messages...)
	published := t.published
	t.mu.Unlock()
	if published != nil && len(messages) > 0 {
		published(messages[0].Type)
	}
	return nil
}

// Consume notes what was handled, or loses it.
func (t *tap) Consume(ctx context.Context, sub broker.Subscription, h broker.Handler) error {
	t.mu.Lock()
	t.types[sub.Type] = true
	t.mu.Unlock()
	return t.Broker.Consume(ctx, sub, func(ctx context.Context, d broker.Delivery) broker.Outcome {
		if t.loses(d) {
			return broker.Acknowledge()
		}
		outcome := h(ctx, d)
		t.mu.Lock()
		defer t.mu.Unlock()
		t.handled[d.ID] = outcome
		return outcome
	})
}

func (t *tap) loses(d broker.Delivery) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.losing[d.Type] {
		t.lost[d.Type]++
	}
	return t.losing[d.Type]
}

// lose makes messages of the types disappear from now on, until it is called again with others.
func (t *tap) lose(types ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.losing)
	for _, name := range types {
		t.losing[name] = true
	}
}

func (t *tap) lostOf(name string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lost[name]
}

// again publishes everything that was published so far once more, each message under a fresh id, and returns the ids of
// those that somebody handles.
func (t *tap) again(ctx context.Context) ([]string, error) {
	t.mu.Lock()
	sent := slices.Clone(t.sent)
	types := maps.Clone(t.types)
	t.mu.Unlock()
	var ids []string
	for i := range sent {
		sent[i].ID = uuid.NewString()
		if types[sent[i].Type] {
			ids = append(ids, sent[i].ID)
		}
	}
	ctx, cancel := awaittest.Context(ctx)
	defer cancel()
	return ids, t.Broker.Publish(ctx, sent...)
}

// finished counts those of the messages that were handled; one that was not acknowledged is an error.
func (t *tap) finished(ids []string) (n int, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range ids {
		outcome, done := t.handled[id]
		if done && outcome != broker.Acknowledge() {
			return n, fmt.Errorf("the outcome is %+v", outcome)
		}
		if done {
			n++
		}
	}
	return n, nil
}

// everything is all that was published, as text.
func (t *tap) everything(tb testing.TB) []byte {
	tb.Helper()
	t.mu.Lock()
	defer t.mu.Unlock()
	var text bytes.Buffer
	for _, m := range t.sent {
		fmt.Fprintf(&text, "%s %s %s %q %s\n", m.ID, m.Type, m.Tenant, m.Headers, m.Body)
	}
	return text.Bytes()
}

// kinds are the types published so far.
func (t *tap) kinds() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	kinds := map[string]bool{}
	for _, m := range t.sent {
		kinds[m.Type] = true
	}
	return strings.Join(slices.Sorted(maps.Keys(kinds)), " ")
}
