// Package access says whose key a key is, for every way in: the HTTP API and the port of the embedded broker. What the
// holder may do follows from the Principal.
package access

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"slices"

	"taxiway.example/pkg/tenant"
)

// Principal is the holder of a key.
type Principal struct {
	Tenant   tenant.Tenant // zero for keys of no tenant
	Name     string        // the key's name, and the source of what comes with it
	Operator bool          // may see and replay dead letters
}

// Global reports whether the key belongs to no tenant, and so sees all of them.
func (p Principal) Global() bool { return p.Tenant.ID == "" }

// ID tells keys apart in limits and logs.
func (p Principal) ID() string { return string(p.Tenant.ID) + "/" + p.Name }

// Queue returns the holder's own inbound queue: that of the tenant whose source has the key's name.
func (p Principal) Queue() (q tenant.Queue, ok bool) {
	i := slices.IndexFunc(p.Tenant.Queues, func(q tenant.Queue) bool { return q.Source == p.Name })
	if i < 0 {
		return tenant.Queue{}, false
	}
	return p.Tenant.Queues[i], true
}

// Keyring knows every key by its SHA-256. The zero Keyring knows none.
type Keyring []entry

type entry struct {
	digest [sha256.Size]byte
	holder Principal
}

// maxKey bounds what is hashed, in bytes.
const maxKey = 512

// NewKeyring returns the keys of the tenants, and those of operators of no tenant.
func NewKeyring(tenants []tenant.Tenant, operators []tenant.Key) (Keyring, error) {
	var keys Keyring
	add := func(k tenant.Key, p Principal) error {
		raw, err := hex.DecodeString(k.SHA256)
		if err != nil || len(raw) != sha256.Size {
			return fmt.Errorf("key %q of tenant %q: its SHA-256 must be 64 hexadecimal digits", k.Name, p.Tenant.ID)
		}
		keys = append(keys, entry{[sha256.Size]byte(raw), p})
		return nil
	}
	for _, t := range tenants {
		for _, k := range t.Keys {
			if err := add(k, Principal{Tenant: t, Name: k.Name, Operator: k.Operator}); err != nil {
				return nil, err
			}
		}
	}
	for _, k := range operators {
		if err := add(k, Principal{Name: k.Name, Operator: true}); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// Holder finds who holds a key. It looks at every key, so that time says nothing about which one fits.
func (keys Keyring) Holder(key string) (Principal, bool) {
	if key == "" || len(key) > maxKey {
		return Principal{}, false
	}
	digest := sha256.Sum256([]byte(key))
	found := -1
	for i := range keys {
		if subtle.ConstantTimeCompare(digest[:], keys[i].digest[:]) == 1 {
			found = i
		}
	}
	if found < 0 {
		return Principal{}, false
	}
	return keys[found].holder, true
}
