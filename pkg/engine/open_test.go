package engine_test

import (
	"path/filepath"
	"strings"
	"testing"

	"taxiway.example/pkg/engine"
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
