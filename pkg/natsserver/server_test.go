package natsserver_test

import (
	"errors"
	"strings"
	"testing"

	"taxiway.example/pkg/natsserver"
)

func TestDirectoryHasOneOwner(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, err := natsserver.Start(dir, natsserver.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = natsserver.Start(dir, natsserver.Options{})
	if !errors.Is(err, natsserver.ErrLocked) || !strings.Contains(err.Error(), "process") ||
		!strings.Contains(err.Error(), dir) {
		t.Errorf("a second owner was told %v", err)
	}
	if first.URL() != "" {
		t.Errorf("it listens on %s though nobody asked", first.URL())
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := natsserver.Start(dir, natsserver.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

// Keys do not travel in clear text.
func TestSendersNeedACertificate(t *testing.T) {
	t.Parallel()
	senders := func(string) (natsserver.Sender, bool) { return natsserver.Sender{}, false }
	for _, listen := range []string{"0.0.0.0:0", ":0", "192.0.2.1:0", "example.com:0"} {
		if _, err := natsserver.Start(t.TempDir(), natsserver.Options{Listen: listen, Senders: senders}); err == nil ||
			!strings.Contains(err.Error(), "certificate") {
			t.Errorf("%s: %v", listen, err)
		}
	}
}
