package broker_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/fault"
)

func TestInboundMessage(t *testing.T) {
	t.Parallel()
	queue := broker.InboundType("contoso", "oem-a")
	m := broker.InboundMessage(queue, "SERIAL-4711", []byte("{}"))
	if !broker.IsInbound(m.Type) || !broker.ValidID(m.ID) || strings.Contains(m.ID, "4711") {
		t.Errorf("%+v", m)
	}
	want := broker.Message{
		ID:      m.ID,
		Type:    "inbound.contoso.oem-a",
		Lane:    broker.Bulk,
		Tenant:  "contoso",
		Headers: map[string]string{broker.AttrID: "SERIAL-4711"},
		Body:    []byte("{}"),
	}
	if diff := cmp.Diff(want, m); diff != "" {
		t.Error(diff)
	}
	if again := broker.InboundMessage(queue, "SERIAL-4711", []byte("{}")); again.ID != m.ID {
		t.Error("a redelivery has another id")
	}
	seen := map[string]bool{m.ID: true}
	for _, other := range []broker.Message{
		broker.InboundMessage(broker.InboundType("contoso", "oem-b"), "SERIAL-4711", []byte("{}")),
		broker.InboundMessage(broker.InboundType("fabrikam", "oem-a"), "SERIAL-4711", []byte("{}")),
		broker.InboundMessage(queue, "SERIAL-4712", []byte("{}")),
		broker.InboundMessage(queue, "SERIAL-4711", []byte("{ }")),
	} {
		if seen[other.ID] {
			t.Errorf("%+v has the id of another message", other)
		}
		seen[other.ID] = true
	}
}

// What a sender takes for an id ends up in databases and headers.
func TestInboundIDs(t *testing.T) {
	t.Parallel()
	kept := func(id string) bool {
		return broker.InboundMessage(broker.InboundType("contoso", "oem-a"), id, nil).Headers[broker.AttrID] == id
	}
	for _, id := range []string{"1", "order 47/11", "Zásilka 1", strings.Repeat("x", 200)} {
		if !kept(id) {
			t.Errorf("%q was replaced", id)
		}
	}
	for _, id := range []string{"a\x00b", "a\nb", "\xff", strings.Repeat("x", 201)} {
		if kept(id) {
			t.Errorf("%q was kept", id)
		}
	}
}

func TestInboundQueuesHaveFullNamesAndForeignSenders(t *testing.T) {
	t.Parallel()
	if err := (broker.Message{ID: "1", Type: "inbound.contoso.oem-a"}).Check(); fault.CodeOf(
		err,
	) != fault.MessageMalformed {
		t.Errorf("publishing to a queue: %v", err)
	}
	if _, err := (broker.Subscription{Name: "collector", Type: "inbound.contoso.oem-a"}).Normal(); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"inbound.contoso", "inbound.contoso.*", "inbound.*", "inbound.a.b.c", "inbound..b"} {
		if _, err := (broker.Subscription{Name: "collector", Type: bad}).Normal(); fault.CodeOf(
			err,
		) != fault.MessageMalformed {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
