package engine_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"taxiway.example/pkg/awaittest"
	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/sbbroker/simulated"
	"taxiway.example/pkg/engine"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/fault"
)

// namespace is a simulated one that holds what the services need.
func namespace(t *testing.T) *simulated.Namespace {
	t.Helper()
	n, err := simulated.Start(t.Context(), engine.ServiceBusTopology(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

// What a namespace is told to hold is what the broker finds there.
func TestOpenServiceBus(t *testing.T) {
	t.Parallel()
	n := namespace(t)
	b, err := engine.OpenBroker(t.Context(), n.Address, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close(context.WithoutCancel(t.Context()))
	for _, c := range event.Consumption() {
		for _, lane := range broker.Lanes() {
			if err := b.Publish(t.Context(), broker.Message{ID: "a", Type: string(c.Type), Lane: lane}); err != nil {
				t.Errorf("%s: %v", c.Type, err)
			}
			consumes(t, b, c, lane)
		}
	}
}

// consumes wants the message "a" to come to each consumer of a type.
func consumes(t *testing.T, b broker.Broker, c event.Consumed, lane broker.Lane) {
	t.Helper()
	for _, name := range c.Consumers {
		ctx, stop := awaittest.Context(t.Context())
		got := ""
		err := b.Consume(
			ctx,
			broker.Subscription{Name: name, Type: string(c.Type), Lane: lane},
			func(_ context.Context, d broker.Delivery) broker.Outcome {
				got = d.ID
				stop()
				return broker.Acknowledge()
			},
		)
		if err != nil || got != "a" {
			t.Errorf("%s of %s in lane %s got %q, %v", name, c.Type, lane, got, err)
		}
		stop()
	}
}

func TestServiceBusThatIsNotThere(t *testing.T) {
	t.Parallel()
	if b, err := engine.OpenBroker(t.Context(), "servicebus+env:NO_SUCH_VARIABLE", engine.Options{}); err == nil ||
		b != nil {
		t.Errorf("%v, %v", b, err)
	}
}

// A connection string may stand in the environment; another prefix names other entities.
func TestServiceBusByEnvironment(t *testing.T) {
	n := namespace(t)
	t.Setenv("SB_TEST", n.ConnectionString())
	b, err := engine.OpenBroker(t.Context(), "servicebus+env:SB_TEST", engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := engine.OpenBroker(t.Context(), "servicebus+env:SB_TEST?prefix=other", engine.Options{}); fault.CodeOf(
		err,
	) != fault.BrokerUnavailable {
		t.Errorf("another prefix: %v", err)
	}
}

// No error repeats what may be a secret.
func TestServiceBusAddresses(t *testing.T) {
	t.Parallel()
	const secret = "pa55w0rd"
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("Endpoint=sb://x;SharedAccessKey="+secret), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{
		"servicebus://", "servicebus://user:" + secret + "@x.servicebus.windows.net",
		"servicebus://x;SharedAccessKey=" + secret,
		"servicebus://x?credential=" + secret, "servicebus://x?key=" + secret, "servicebus://x?a=%zz" + secret,
		"servicebus+env:Endpoint=sb://x;SharedAccessKey=" + secret,
		"servicebus+file:Endpoint=sb://x/;SharedAccessKey=" + secret + "=",
		"servicebus+env:SharedAccessKey=" + secret + "?prefix=x", "servicebus+env:" + secret + "=?a=%zz",
		"servicebus+env:SB_TEST_NOT_SET", "servicebus+file:" + file, "servicebus+file:" + file + "-not-there",
		"kafka:" + secret,
	} {
		_, err := engine.OpenBroker(t.Context(), address, engine.Options{})
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// A namespace that refuses the key is said at once.
func TestServiceBusWrongKey(t *testing.T) {
	t.Parallel()
	before, _, _ := strings.Cut(namespace(t).ConnectionString(), "SharedAccessKey=")
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(before+"SharedAccessKey=d3Jvbmc=;UseDevelopmentEmulator=true"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := engine.OpenBroker(t.Context(), "servicebus+file:"+file, engine.Options{}); fault.CodeOf(
		err,
	) != fault.BrokerUnavailable ||
		!strings.Contains(err.Error(), "credentials") {
		t.Errorf("got %v", err)
	}
}

// Without a connection string the environment says who we are; what it says wrongly is said before anything is sent.
func TestServiceBusIdentity(t *testing.T) {
	t.Setenv("AZURE_TOKEN_CREDENTIALS", "nobody")
	_, err := engine.OpenBroker(t.Context(), "servicebus://x.servicebus.windows.net", engine.Options{})
	if fault.CodeOf(err) != fault.BrokerUnavailable || !strings.Contains(err.Error(), "AZURE_TOKEN_CREDENTIALS") {
		t.Errorf("got %v", err)
	}
}
