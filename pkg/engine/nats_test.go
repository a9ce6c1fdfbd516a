package engine_test

import (
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"taxiway.example/pkg/engine"
)

// natsServer starts a server that wants a token, and returns its address with it.
func natsServer(t *testing.T) string {
	t.Helper()
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, Authorization: "let-me-in",
		JetStream: true, StoreDir: t.TempDir(), JetStreamMaxStore: 8 << 30, MaxPayload: 4 << 20,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	return strings.Replace(s.ClientURL(), "nats://", "nats://let-me-in@", 1)
}

func TestNATSServers(t *testing.T) {
	t.Parallel()
	address := natsServer(t)
	for _, query := range []string{"", "?replicas=1"} {
		b, err := engine.OpenBroker(t.Context(), address+query, engine.Options{})
		if err != nil {
			t.Fatal(query, err)
		}
		if err := b.Health(t.Context()); err != nil {
			t.Error(query, err)
		}
		if err := b.Close(t.Context()); err != nil {
			t.Error(query, err)
		}
	}
	for query, says := range map[string]string{
		"?replicas=0":          "replicas",
		"?replicas=many":       "replicas",
		"?replicas=6":          "replicas",
		"?replica=3":           `no parameter "replica"`,
		"?%":                   "question mark",
		"?creds=none.creds":    "none.creds",
		"?ca=none.pem":         "none.pem",
		"?cert=none.pem&key=k": "none.pem",
		"?cert=none.pem":       "none.pem",
	} {
		_, err := engine.OpenBroker(t.Context(), address+query, engine.Options{})
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "let-me-in") {
			t.Errorf("%s: %v", query, err)
		}
	}
}

// A password that is not percent-encoded is not shown by the error that says so, which comes before anything is opened.
func TestNATSPasswordsAreNotShown(t *testing.T) {
	t.Parallel()
	for _, password := range []string{
		"s3cret?word", "s3cr%zzet", "s3cret/x", "s3cret#x", "a?s3cret=b", "a?b&s3cret",
		"a?secret", "a?secret&replicas=x", "a?replicas=s3cret", "a?%s3cret",
	} {
		err := engine.CheckBroker("nats://taxi:" + password + "@host:4222")
		if err == nil || strings.Contains(err.Error(), "s3c") || strings.Contains(err.Error(), "secret") ||
			strings.Contains(err.Error(), "word@") {
			t.Errorf("%s: %v", password, err)
		}
	}
}

func TestNATSAddresses(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{
		"nats://taxi:s3cr%zzet@host:4222", "nats://taxi:s3cret/x@host", "nats://taxi:47/s3cret@host",
		"nats://taxi:47#s3cret@host", "nats://taxi:s3c#ret@host",
		"nats://taxi:s3c ret@host", "nats://taxi:s3c,ret@host", "nats://good:4222,nats://taxi:s3cr%zzet@host",
		"tls://taxi:s3cr%zzet@host",
	} {
		err := engine.CheckBroker(bad)
		if err == nil || !strings.Contains(err.Error(), "percent-encode") || strings.Contains(err.Error(), "s3c") ||
			strings.Contains(err.Error(), "47") {
			t.Errorf("%s: %v", bad, err)
		}
	}
	for _, good := range []string{
		"nats://taxi:s3cr%2Fet@127.0.0.1:1", "nats://127.0.0.1:1, [::1]:1", "nats://a:1,tls://b:1",
		"tls://127.0.0.1:1/", "nats://token@127.0.0.1:1",
	} {
		if err := engine.CheckBroker(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
}
