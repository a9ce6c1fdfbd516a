package sbbroker

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"taxiway.example/pkg/fault"
)

func TestOpenByFile(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	file := filepath.Join(t.TempDir(), "secret")
	b.must(os.WriteFile(file, []byte(b.ConnectionString()+"\n"), 0o600))
	br, err := Open(t.Context(), "servicebus+file:"+file, Options{Topology: b.topology})
	b.must(err)
	b.publish(br, "a")
	b.must(br.Health(t.Context()))
	b.must(br.Close(t.Context()))
	if _, err := Open(t.Context(), "servicebus+file:"+file+"?prefix=other", Options{Topology: b.topology}); fault.CodeOf(err) != fault.BrokerUnavailable {
		t.Errorf("another prefix: %v", err)
	}
}

func TestOpenByEnvironment(t *testing.T) {
	s := newSimulated(t)
	b := s.backend(t, importer.Type)
	b.subscribe(t, importer)
	t.Setenv("SB_TEST", s.ConnectionString())
	br, err := Open(t.Context(), "servicebus+env:SB_TEST", Options{Topology: b.topology})
	if err != nil {
		t.Fatal(err)
	}
	if err := br.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestAddresses that cannot be: no error repeats what may be a secret.
func TestAddresses(t *testing.T) {
	t.Parallel()
	const secret = "pa55w0rd"
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("Endpoint=sb://x;SharedAccessKey="+secret), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{
		"servicebus://", "servicebus://user:" + secret + "@x.servicebus.windows.net", "servicebus://x;SharedAccessKey=" + secret,
		"servicebus://x?credential=" + secret, "servicebus://x?key=" + secret, "servicebus://x?a=%zz" + secret,
		"servicebus+env:Endpoint=sb://x;SharedAccessKey=" + secret, "servicebus+file:Endpoint=sb://x/;SharedAccessKey=" + secret + "=",
		"servicebus+env:SharedAccessKey=" + secret + "?prefix=x", "servicebus+env:" + secret + "=?a=%zz",
		"servicebus+env:SB_TEST_NOT_SET", "servicebus+file:" + file, "servicebus+file:" + file + "-not-there", "kafka:" + secret,
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		_, err := Open(ctx, address, Options{Topology: Topology{Topics: []Topic{{Type: "a"}}}})
		cancel()
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// TestCredentials only makes them: to use them takes an Azure.
func TestCredentials(t *testing.T) {
	t.Setenv("AZURE_CLIENT_ID", "c11e47aa-0000-4000-8000-000000000001")
	t.Setenv("AZURE_TENANT_ID", "7e4a9700-0000-4000-8000-000000000001")
	t.Setenv("AZURE_FEDERATED_TOKEN_FILE", filepath.Join(t.TempDir(), "token"))
	for _, kind := range []string{"", "workload", "managed", "cli"} {
		for _, client := range []string{"", "c11e47aa-0000-4000-8000-000000000002"} {
			if c, err := credential(kind, client); err != nil || c == nil {
				t.Errorf("%q, %q: %v", kind, client, err)
			}
		}
	}
	if _, err := credential("password", ""); err == nil {
		t.Error("a kind that does not exist")
	}
}

// TestWrongKey is said at once.
func TestWrongKey(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	before, _, _ := strings.Cut(b.ConnectionString(), "SharedAccessKey=")
	file := filepath.Join(t.TempDir(), "secret")
	b.must(os.WriteFile(file, []byte(before+"SharedAccessKey=d3Jvbmc=;UseDevelopmentEmulator=true"), 0o600))
	if _, err := Open(t.Context(), "servicebus+file:"+file, Options{Topology: b.topology}); fault.CodeOf(err) != fault.BrokerUnavailable || !strings.Contains(err.Error(), "credentials") {
		t.Errorf("got %v", err)
	}
}
