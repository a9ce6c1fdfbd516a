package engine_test

import (
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"taxiway.example/pkg/engine"
	"taxiway.example/pkg/tenant"
)

func TestOpenWhatTheAddressNames(t *testing.T) {
	t.Parallel()
	dir := filepath.ToSlash(t.TempDir())
	l, err := engine.OpenLedger(t.Context(), "sqlite:"+dir+"/ledger.db", engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Health(t.Context()); err != nil {
		t.Error(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	b, err := engine.OpenBroker(t.Context(), "nats+embedded:"+dir+"/broker", engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Health(t.Context()); err != nil {
		t.Error(err)
	}
	if err := b.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// An OEM reaches a broker in this process with its key, if there is a queue of its name.
func TestEmbeddedBrokerWithAPort(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	tenants, err := tenant.NewDirectory(tenant.Tenant{
		ID: "contoso", EntraTenantID: "6f1d7f0a-0000-4000-8000-000000000001",
		ClientID:   "6f1d7f0a-0000-4000-8000-000000000002",
		Credential: tenant.Credential{SecretEnv: "NONE"}, Queues: []tenant.Queue{{Source: "oem-a"}},
		Keys: []tenant.Key{
			{Name: "oem-a", SHA256: strings.ToUpper(tenant.Hash("key-a"))},
			{Name: "oem-b", SHA256: tenant.Hash("key-b")},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.ToSlash(t.TempDir())
	b, err := engine.OpenBroker(t.Context(), "nats+embedded:"+dir+"?listen="+address, engine.Options{Tenants: tenants})
	if err != nil {
		t.Fatal(err)
	}
	for key, welcome := range map[string]bool{"key-a": true, "key-b": false, "": false} {
		nc, err := nats.Connect("nats://"+address, nats.Token(key))
		if (err == nil) != welcome {
			t.Errorf("key %q: %v", key, err)
		}
		nc.Close()
	}
	if err := b.Close(t.Context()); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"?listen=0.0.0.0:0", "?port=1", "?listen=127.0.0.1:0&cert=none.pem&key=none.pem", "?%"} {
		if _, err := engine.OpenBroker(t.Context(), "nats+embedded:"+dir+bad, engine.Options{}); err == nil ||
			!strings.Contains(err.Error(), "broker") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// An address may hold a password: the error must not repeat it.
func TestUnknownAddressIsNamedWithoutItsSecrets(t *testing.T) {
	t.Parallel()
	_, errLedger := engine.OpenLedger(t.Context(), "mysql://user:pa55@host/db", engine.Options{})
	_, errBroker := engine.OpenBroker(t.Context(), "kafka://user:pa55@host", engine.Options{})
	for _, err := range []error{errLedger, errBroker} {
		if err == nil || strings.Contains(err.Error(), "pa55") {
			t.Errorf("got %v", err)
		}
	}
}

// What can be known without opening anything is said when the flags are read.
func TestCheckAddresses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		check   func(string) error
		address string
		says    string // "" = fine
	}{
		{engine.CheckLedger, "sqlite:ledger.db", ""},
		{engine.CheckLedger, "sqlite:///var/lib/ledger.db", ""},
		{engine.CheckLedger, "postgres://taxiway@db.example/taxiway", ""},
		{engine.CheckLedger, "nonsense:", `"nonsense:…"`},
		{engine.CheckLedger, "sqlite:", "names nothing"},
		{engine.CheckLedger, "postgres://", "names nothing"},
		{engine.CheckLedger, "nats://127.0.0.1:4222", "want sqlite"},
		{engine.CheckBroker, "nats+embedded:broker?listen=127.0.0.1:0", ""},
		{engine.CheckBroker, "nats://127.0.0.1:1,127.0.0.1:2?replicas=3", ""},
		{engine.CheckBroker, "servicebus://x.servicebus.windows.net?prefix=demo", ""},
		{engine.CheckBroker, "servicebus://x.servicebus.windows.net?credential=managed", `no parameter "credential"`},
		{engine.CheckBroker, "nats://user:pa/55@x", "percent-encode"},
		{engine.CheckBroker, "servicebus+env:SB", ""},
		{engine.CheckBroker, "foo://x", `"foo:…"`},
		{engine.CheckBroker, "nats+embedded:?listen=127.0.0.1:0", "names nothing"},
		{engine.CheckBroker, "nats://127.0.0.1:4222?replica=3", `no parameter "replica"`},
		{engine.CheckBroker, "nats+embedded:broker?port=1", `no parameter "port"`},
		{engine.CheckBroker, "foo://user:pa55@x", "want nats"},
	} {
		err := c.check(c.address)
		if (err == nil) != (c.says == "") ||
			err != nil && (!strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "pa55")) {
			t.Errorf("%s: %v", c.address, err)
		}
	}
}
