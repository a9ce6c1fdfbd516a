package httpapi

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"

	"taxiway.example/pkg/deadletter"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/tenant"
)

// principal is who a request acts for.
type principal struct {
	tenant   tenant.Tenant // zero for keys of no tenant
	name     string        // the key's name
	operator bool
}

// house reports whether the key belongs to no tenant and so to all.
func (p principal) house() bool { return p.tenant.ID == "" }

// id tells keys apart in limits and logs.
func (p principal) id() string { return string(p.tenant.ID) + "/" + p.name }

// decider is the operator that decides with this key.
func (p principal) decider() deadletter.Operator {
	return deadletter.Operator{Name: p.name, Tenant: p.tenant.ID}
}

// keyring knows every key by its SHA-256.
type keyring []struct {
	digest [sha256.Size]byte
	holder principal
}

func newKeyring(tenants Tenants, operators []tenant.Key) (keyring, error) {
	var ring keyring
	add := func(k tenant.Key, p principal) error {
		raw, err := hex.DecodeString(k.SHA256)
		if err != nil || len(raw) != sha256.Size {
			return fmt.Errorf("key %q of tenant %q: its SHA-256 must be 64 hexadecimal digits", k.Name, p.tenant.ID)
		}
		ring = append(ring, struct {
			digest [sha256.Size]byte
			holder principal
		}{[sha256.Size]byte(raw), p})
		return nil
	}
	for _, id := range tenants.IDs() {
		t, err := tenants.Get(id)
		if err != nil {
			return nil, err
		}
		for _, k := range t.Keys {
			if err := add(k, principal{tenant: t, name: k.Name, operator: k.Operator}); err != nil {
				return nil, err
			}
		}
	}
	for _, k := range operators {
		if err := add(k, principal{name: k.Name, operator: true}); err != nil {
			return nil, err
		}
	}
	return ring, nil
}

// holder finds who holds a key. It looks at every key, so that time says nothing about which one fits.
func (ring keyring) holder(key string) (principal, bool) {
	digest := sha256.Sum256([]byte(key))
	found := -1
	for i := range ring {
		if subtle.ConstantTimeCompare(digest[:], ring[i].digest[:]) == 1 {
			found = i
		}
	}
	if found < 0 {
		return principal{}, false
	}
	return ring[found].holder, true
}

// maxKey bounds what is hashed, in characters.
const maxKey = 512

// authorize decides who a request is for and whether they may do it: the one place that does.
func (a *API) authorize(r *http.Request, need access) (principal, error) {
	if need == public {
		return principal{}, nil
	}
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if key = strings.TrimSpace(key); !strings.EqualFold(scheme, "Bearer") || key == "" || len(key) > maxKey {
		return principal{}, fault.New(fault.RequestUnauthenticated, "There is no key.")
	}
	p, ok := a.keys.holder(key)
	switch {
	case !ok:
		return principal{}, fault.New(fault.RequestUnauthenticated, "The key is not known.")
	case (need == operator || need == keeper) && !p.operator:
		return p, fault.New(fault.RequestForbidden, "This needs an operator's key.")
	case (need == sender || need == keeper) && p.house():
		return p, fault.New(fault.RequestForbidden, "This needs the key of a tenant.")
	}
	return p, a.limits.take(p.id(), a.Now())
}
