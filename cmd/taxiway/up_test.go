package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"taxiway.example/pkg/api/client"
	"taxiway.example/pkg/tenant"
)

// tenantsOfUp has a tenant without a key, so that up makes one, and an operator of no tenant.
const tenantsOfUp = `
tenants:
  - id: contoso
    entraTenantId: 11111111-1111-1111-1111-111111111111
    clientId: 22222222-2222-2222-2222-222222222222
    credential: {secretFile: %SECRET%}
    endpoints: {login: "http://127.0.0.1:1", graph: "http://127.0.0.1:1"}
operators: [{name: house, sha256: %KEY%}]
`

// startUp runs up on a free port until the test ends, and returns its address and the tenant's new key.
func startUp(t *testing.T, u up) (url, key string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	lines, out := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := u.run(ctx, out, io.Discard)
		_ = out.CloseWithError(io.EOF)
		ended <- err
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	for s := bufio.NewScanner(lines); s.Scan(); {
		if rest, ok := strings.CutPrefix(s.Text(), "API: "); ok {
			go func() { _, _ = io.Copy(io.Discard, lines) }()
			return rest, key
		}
		if _, rest, ok := strings.Cut(s.Text(), "TAXIWAY_KEY="); ok {
			key = rest
		}
	}
	t.Fatal("up ended before its API was there")
	return "", ""
}

func TestUpKnowsTheOperatorsOfNoTenant(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	config := filepath.Join(dir, "tenants.yaml")
	secret := filepath.Join(dir, "contoso.secret")
	for name, content := range map[string]string{
		secret: "secret", config: strings.NewReplacer("%KEY%", tenant.Hash("house"), "%SECRET%", secret).Replace(tenantsOfUp),
	} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	url, made := startUp(
		t,
		up{
			data:      filepath.Join(dir, "data"),
			config:    config,
			listen:    "127.0.0.1:0",
			logFormat: "text",
			logLevel:  "error",
		},
	)
	for name, key := range map[string]string{"the operator of no tenant": "house", "the tenant's made key": made} {
		server, err := client.New(url, key)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, err := range server.DeadLetters(t.Context(), "") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
