package collector_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"taxiway.example/pkg/awaittest"
	"taxiway.example/pkg/broker/sbbroker"
	"taxiway.example/pkg/broker/sbbroker/simulated"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/engine"
	"taxiway.example/pkg/hwhash"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/natsserver"
	"taxiway.example/pkg/tenant"
)

// bus is a broker as the two sides see it: an address for us, and an OEM's own client.
type bus struct {
	address string
	idName  string // of the header that holds an id, where it is one
	// send puts a message into a queue, without an id when it is "". It waits until there is a queue.
	send func(t *testing.T, queue, id string, body []byte)
	// ask sends and waits for the answer.
	ask func(t *testing.T, queue, id string, body []byte) []byte
	// again makes the broker deliver once more what it has delivered. No collector runs meanwhile.
	again func(t *testing.T)
}

// buses are the brokers that every test of queues runs on.
var buses = map[string]func(t *testing.T) *bus{"nats": natsBus, "servicebus": serviceBus}

// The queues that the tenants have.
const (
	contosoA  = "contoso.oem-a"
	contosoB  = "contoso.oem-b"
	fabrikamA = "fabrikam.oem-a"
)

var queues = []string{contosoA, contosoB, fabrikamA}

func natsBus(t *testing.T) *bus {
	t.Helper()
	srv, err := natsserver.Start(t.TempDir(), natsserver.Options{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	nc, err := nats.Connect(srv.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	b := &bus{address: srv.URL(), idName: "Nats-Msg-Id"}
	publish := func(t *testing.T, queue, id, replyTo string, body []byte) {
		t.Helper()
		m := &nats.Msg{Subject: "taxiway.inbound." + queue, Data: body, Header: nats.Header{}}
		for name, value := range map[string]string{b.idName: id, "Taxiway-Reply-To": replyTo} {
			if value != "" {
				m.Header.Set(name, value)
			}
		}
		awaittest.True(t, "there is no queue "+queue, func(context.Context) bool {
			_, err := js.PublishMsg(t.Context(), m)
			if err != nil && !errors.Is(err, jetstream.ErrNoStreamResponse) {
				t.Fatal(err)
			}
			return err == nil
		})
	}
	b.send = func(t *testing.T, queue, id string, body []byte) { t.Helper(); publish(t, queue, id, "", body) }
	b.ask = func(t *testing.T, queue, id string, body []byte) []byte {
		t.Helper()
		inbox := "_INBOX_" + strings.ReplaceAll(queue, ".", "_") + strings.TrimPrefix(nc.NewInbox(), "_INBOX")
		answers := make(chan *nats.Msg, 1)
		if _, err := nc.ChanSubscribe(inbox, answers); err != nil {
			t.Fatal(err)
		}
		publish(t, queue, id, inbox, body)
		return awaittest.Receive(t, "an answer", answers).Data
	}
	b.again = func(t *testing.T) {
		t.Helper()
		for _, queue := range queues {
			words := "inbound_" + strings.ReplaceAll(queue, ".", "_")
			if err := js.DeleteConsumer(t.Context(), "taxiway-"+words, "collector_"+words); err != nil {
				t.Fatal(err)
			}
		}
	}
	return b
}

func serviceBus(t *testing.T) *bus {
	t.Helper()
	topology := engine.ServiceBusTopology()
	n, err := simulated.Start(t.Context(), topology, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, queue := range queues {
		if err := n.AddInbound("inbound." + queue); err != nil {
			t.Fatal(err)
		}
	}
	client, err := azservicebus.NewClientFromConnectionString(n.ConnectionString(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(client.Close(context.WithoutCancel(t.Context())), n.Close()); err != nil {
			t.Error(err)
		}
	})
	b := &bus{address: n.Address}
	var sent []func(t *testing.T)
	send := func(t *testing.T, queue string, m *azservicebus.Message) {
		t.Helper()
		entity, _, _ := sbbroker.Topology{}.Inbound("inbound." + queue)
		s, err := client.NewSender(entity, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(s.SendMessage(t.Context(), m, nil), s.Close(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
	b.send = func(t *testing.T, queue, id string, body []byte) {
		t.Helper()
		m := &azservicebus.Message{Body: body}
		if id != "" {
			m.MessageID = &id
		}
		send(t, queue, m)
		sent = append(sent, func(t *testing.T) { t.Helper(); send(t, queue, m) })
	}
	b.ask = func(t *testing.T, queue, id string, body []byte) []byte {
		t.Helper()
		_, _, replyAddress := sbbroker.Topology{}.Inbound("inbound." + queue)
		send(t, queue, &azservicebus.Message{Body: body, MessageID: &id, ReplyTo: &replyAddress})
		r, err := client.NewReceiverForQueue(
			replyAddress,
			&azservicebus.ReceiverOptions{ReceiveMode: azservicebus.ReceiveModeReceiveAndDelete},
		)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := awaittest.Context(t.Context())
		defer cancel()
		got, err := r.ReceiveMessages(ctx, 1, nil)
		if err = errors.Join(err, r.Close(ctx)); err != nil || len(got) != 1 || *got[0].CorrelationID != id {
			t.Fatal(got, err)
		}
		return got[0].Body
	}
	// A queue forgets what was acknowledged, so that an OEM who sends everything once more is the same.
	b.again = func(t *testing.T) {
		t.Helper()
		for _, repeat := range sent {
			repeat(t)
		}
	}
	return b
}

// exchange is a site whose tenants have queues.
type exchange struct {
	*site
	*bus
}

const fabrikamKey = "fabrikam-key"

func newExchange(t *testing.T, open func(*testing.T) *bus) *exchange {
	t.Helper()
	x := &exchange{bus: open(t)}
	l, err := engine.OpenLedger(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "ledger.db"), engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := engine.OpenBroker(t.Context(), x.address, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(b.Close(context.WithoutCancel(t.Context())), l.Close()); err != nil {
			t.Error(err)
		}
	})
	of := func(id device.TenantID, key string, sources ...tenant.Queue) tenant.Tenant {
		return tenant.Tenant{
			ID: id, EntraTenantID: "6f1d7f0a-0000-4000-8000-000000000001", ClientID: "6f1d7f0a-0000-4000-8000-000000000002",
			Credential: tenant.Credential{
				SecretEnv: "NONE",
			}, Keys: []tenant.Key{{Name: "test", SHA256: tenant.Hash(key), Operator: true}}, Queues: sources,
		}
	}
	d, err := tenant.NewDirectory(
		of("contoso", key, tenant.Queue{Source: "oem-a", GroupTag: "KIOSK"}, tenant.Queue{Source: "oem-b"}),
		of("fabrikam", fabrikamKey, tenant.Queue{Source: "oem-a"}))
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	x.site = &site{ledger: l, broker: b, tenants: d, client: client}
	return x
}

// batchView is what the tests read of a batch.
type batchView struct {
	ID, Name, Source, State string
	Rows                    int
	Outcomes                map[string]int
	States                  map[string]int
}

type rowView struct {
	Row                                   int
	Outcome, Code, Column, Detail, Device string
	Warnings                              []string
}

// call sends a request with a key and reads the answer as JSON.
func (r *running) call(t *testing.T, method, path, key string, body, into any) int {
	t.Helper()
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		content = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+r.address+path, content)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := r.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode
}

// find looks a message's batch up as its sender would.
func (r *running) find(t *testing.T, key, source, id string) (batchView, bool) {
	t.Helper()
	var found struct{ Batches []batchView }
	query := url.Values{"queue": {source}, "message": {id}}
	if status := r.call(t, http.MethodGet, "/v1/batches?"+query.Encode(), key, nil, &found); status != http.StatusOK {
		t.Fatal(status)
	}
	if len(found.Batches) == 0 {
		return batchView{}, false
	}
	return found.Batches[0], true
}

// taken waits until a message of contoso's is taken in.
func (r *running) taken(t *testing.T, source, id string) batchView {
	t.Helper()
	var b batchView
	awaittest.True(t, "the message "+id+" is not taken in", func(context.Context) bool {
		found, ok := r.find(t, key, source, id)
		b = found
		return ok && b.State == string(ledger.Complete)
	})
	return b
}

func (r *running) rows(t *testing.T, key, batch string) []rowView {
	t.Helper()
	var page struct{ Rows []rowView }
	if status := r.call(t, http.MethodGet, "/v1/batches/"+batch+"/rows", key, nil, &page); status != http.StatusOK {
		t.Fatal(status)
	}
	return page.Rows
}

type deadLetterView struct{ ID, Tenant, Message, Subscription, Type, Code, Detail, State string }

// deadLetters waits for n open dead letters and returns them.
func (r *running) deadLetters(t *testing.T, n int) []deadLetterView {
	t.Helper()
	var page struct{ DeadLetters []deadLetterView }
	awaittest.True(t, fmt.Sprintf("there are not %d dead letters", n), func(context.Context) bool {
		if status := r.call(t, http.MethodGet, "/v1/dead-letters", key, nil, &page); status != http.StatusOK {
			t.Fatal(status)
		}
		return len(page.DeadLetters) >= n
	})
	if len(page.DeadLetters) != n {
		t.Errorf("%d dead letters, want %d: %+v", len(page.DeadLetters), n, page.DeadLetters)
	}
	return page.DeadLetters
}

// made is a device as JSON.
func made(t *testing.T, seed uint64) map[string]any {
	t.Helper()
	r := hwhash.Synthetic(seed)
	h, err := hwhash.Encode(r)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]any{"serialNumber": r.Serial.Reveal(), "hardwareHash": h.Wire()}
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func list(devices ...any) map[string]any { return map[string]any{"devices": devices} }

// onEachBus runs a test once for each broker.
func onEachBus(t *testing.T, test func(t *testing.T, x *exchange)) {
	t.Helper()
	for name, open := range buses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newExchange(t, open))
		})
	}
}
