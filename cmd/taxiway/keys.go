package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/tenant"
)

// keysName is the file in the data directory that keeps the digests of generated API keys, keyName what they are
// called.
const (
	keysName = "keys.json"
	keyName  = "up"
)

// keyFile holds the SHA-256 of one generated API key for each tenant; the keys themselves are stored nowhere.
type keyFile struct {
	file    string
	digests map[device.TenantID]string
}

func loadKeys(file string) (*keyFile, error) {
	k := &keyFile{file: file, digests: map[device.TenantID]string{}}
	raw, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return k, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, &k.digests); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return k, nil
}

// save replaces the file as a whole: a crash leaves the old or the new one.
func (k *keyFile) save() error {
	raw, err := json.MarshalIndent(k.digests, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(k.file+".new", append(raw, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(k.file+".new", k.file)
}

// issue makes a key for a tenant and shows it; only its digest stays.
func (k *keyFile) issue(id device.TenantID, out io.Writer) (digest string, err error) {
	key := newKey()
	digest = tenant.Hash(key)
	k.digests[id] = digest
	if err := k.save(); err != nil {
		return "", err
	}
	_, err = fmt.Fprintf(out, "Tenant %s: a new API key, shown this once:\n  export TAXIWAY_KEY=%s\n", id, key)
	return digest, err
}

// newKey returns a fresh API key.
func newKey() string { return "taxiway_" + rand.Text() }
