package access_test

import (
	"strings"
	"testing"

	"taxiway.example/pkg/access"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/tenant"
)

func keyring(t *testing.T) access.Keyring {
	t.Helper()
	key := func(name string) tenant.Key { return tenant.Key{Name: name, SHA256: tenant.Hash("key of " + name)} }
	admin := key("admin")
	upper := key("oem-b")
	admin.Operator = true
	upper.SHA256 = strings.ToUpper(upper.SHA256)
	keys, err := access.NewKeyring([]tenant.Tenant{
		{ID: "contoso", Keys: []tenant.Key{key("oem-a"), admin}, Queues: []tenant.Queue{{Source: "oem-b"}, {Source: "oem-a", GroupTag: "KIOSK"}}},
		{ID: "fabrikam", Keys: []tenant.Key{upper}},
	}, []tenant.Key{key("global")})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestHolder(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		tenant   device.TenantID
		operator bool
		queue    string // the group tag of the queue; "-" = no queue
	}{
		"oem-a": {"contoso", false, "KIOSK"}, "admin": {"contoso", true, "-"}, "global": {"", true, "-"},
		"oem-b": {"fabrikam", false, "-"}, // the queue of that name is another tenant's
	} {
		p, ok := keyring(t).Holder("key of " + name)
		if !ok || p.Name != name || p.Tenant.ID != want.tenant || p.Operator != want.operator {
			t.Errorf("%s: %v %q of %q, operator %v", name, ok, p.Name, p.Tenant.ID, p.Operator)
		}
		if q, ok := p.Queue(); ok != (want.queue != "-") || ok && q.GroupTag != want.queue {
			t.Errorf("%s: the queue is %+v, %v", name, q, ok)
		}
	}
}

func TestStrangersHoldNoKey(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"", "key of nobody", "KEY OF OEM-A", " key of oem-a", tenant.Hash("key of oem-a"), strings.Repeat("x", 1<<20)} {
		if p, ok := keyring(t).Holder(key); ok || p.Name != "" || p.Operator {
			t.Errorf("%.20q is the key of %q", key, p.Name)
		}
	}
	if _, ok := access.Keyring(nil).Holder("key of oem-a"); ok {
		t.Error("the empty ring knows a key")
	}
}

func TestOnlyDigestsAreKeys(t *testing.T) {
	t.Parallel()
	for _, digest := range []string{"", "abc", strings.Repeat("g", 64), strings.Repeat("a", 66)} {
		bad := tenant.Key{Name: "oem-z", SHA256: digest}
		_, err := access.NewKeyring([]tenant.Tenant{{ID: "contoso", Keys: []tenant.Key{bad}}}, nil)
		_, global := access.NewKeyring(nil, []tenant.Key{bad})
		for _, err := range []error{err, global} {
			if err == nil || !strings.Contains(err.Error(), "oem-z") {
				t.Errorf("%q as a digest: %v", digest, err)
			}
		}
	}
}
