package e2e

import (
	"context"
	"encoding/json"
	"net"
	"path/filepath"
	"slices"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/awaittest"
	"taxiway.example/pkg/tenant"
)

// freePort is a loopback address that nobody listens on at the moment.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// An OEM with nothing but its key and a NATS client hands devices over to a pipeline in one process, and they become
// ready.
func TestAnOEMsQueueBecomesReadyDevices(t *testing.T) {
	t.Parallel()
	const perMessage = 20
	file := demo(t, 60)
	w := newFixture(t, simulator.Fast(), 1, nil)
	w.plant(t, file)
	w.tenants[0].Queues = []tenant.Queue{{Source: "oem"}}
	w.tenants[0].Keys = append(w.tenants[0].Keys, tenant.Key{Name: "oem", SHA256: tenant.Hash("the-oems-key")})
	address := freePort(t)
	store := filepath.Join(t.TempDir(), "broker")
	p := start(
		t,
		w.config(t, site{ledger: sqliteFile(t), broker: "nats+embedded:" + store + "?listen=" + address, store: store}),
	)

	oem, err := nats.Connect(
		"nats://"+address,
		nats.Token("the-oems-key"),
		nats.CustomInboxPrefix("_INBOX_contoso_oem"),
		nats.RetryOnFailedConnect(true),
	)
	if err != nil {
		t.Fatal(err)
	}
	defer oem.Close()
	js, err := jetstream.New(oem)
	if err != nil {
		t.Fatal(err)
	}
	inbox := oem.NewInbox()
	answers := make(chan *nats.Msg, 100)
	if _, err := oem.ChanSubscribe(inbox, answers); err != nil {
		t.Fatal(err)
	}
	messages := 0
	for chunk := range slices.Chunk(sheetOf(t, file)[1:], perMessage) {
		var list struct {
			Devices []map[string]string `json:"devices"`
		}
		for _, row := range chunk {
			list.Devices = append(
				list.Devices,
				map[string]string{"serialNumber": row[0], "hardwareHash": row[2], "groupTag": row[3]},
			)
		}
		body, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		// A sender may take a serial number for an id: no log may have it.
		m := &nats.Msg{
			Subject: "taxiway.inbound.contoso.oem",
			Data:    body,
			Header:  nats.Header{"Nats-Msg-Id": {chunk[0][0]}, "Taxiway-Reply-To": {inbox}},
		}
		awaittest.True(t, "the queue takes the message", func(ctx context.Context) bool {
			_, err := js.PublishMsg(ctx, m)
			return err == nil
		})
		messages++
	}
	ready := 0
	rows := 0
	for range messages {
		m := awaittest.Receive(t, "an answer", answers)
		var receipt struct{ ID, Message string }
		if err := json.Unmarshal(m.Data, &receipt); err != nil || receipt.Message == "" {
			t.Fatalf("%s: %v", m.Data, err)
		}
		s := p.finished(t, batch{p.as(1), receipt.ID})
		ready += s.States["ready"]
		rows += s.Rows
	}
	if rows != file.Rows || ready < file.Rows*8/10 {
		t.Errorf("%d rows of %d, %d devices are ready", rows, file.Rows, ready)
	}
	w.sentOnce(t)
	p.stop(t)
	p.keepsQuiet(t, file)
}
