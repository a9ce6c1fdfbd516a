package device_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"taxiway.example/pkg/device"
)

func TestTenantIDHasOneSyntax(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"", "-", "---", "-a", "a-", "Contoso", "a.b", "a_b", "a b", " a", "ü", "a\n", "a\x00", strings.Repeat("a", 64)} {
		if device.TenantID(id).Valid() {
			t.Errorf("%q is no tenant id", id)
		}
	}
	for _, id := range []string{"a", "7", "contoso", "contoso-eu", "a--b", "2-fast", strings.Repeat("a", 63)} {
		if !device.TenantID(id).Valid() {
			t.Errorf("%q is a tenant id", id)
		}
	}
}

func TestTenantIDIsADNSLabel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		if id := rapid.StringMatching(`[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?`).Draw(t, "id"); !device.TenantID(id).
			Valid() {
			t.Errorf("%q is a tenant id", id)
		}
	})
}
