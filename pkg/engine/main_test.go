package engine

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"taxiway.example/pkg/tenant"
)

// What is wrong is said before anything is opened, all of it at once.
func TestConfigurationIsCheckedBeforeTheStart(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "tenants.yaml")
	text := `tenants:
  - {id: contoso, entraTenantId: 6f1d7f0a-0000-4000-8000-000000000001, clientId: 6f1d7f0a-0000-4000-8000-000000000002, credential: {secretEnv: NONE}}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	refuse := func(*tenant.Directory) error { return errors.New("not these tenants") }
	for name, c := range map[string]struct {
		args   []string
		checks []Check
		says   []string // none = fine
	}{
		"fine":        {[]string{"-ledger", "sqlite:l.db", "-broker", "nats://127.0.0.1:1", "-tenants", file}, nil, nil},
		"no ledger":   {[]string{"-broker", "nats://127.0.0.1:1", "-tenants", file}, nil, []string{"-ledger (or TAXIWAY_LEDGER)"}},
		"addresses":   {[]string{"-ledger", "nonsense:", "-broker", "foo://x", "-tenants", file}, nil, []string{"nonsense:", "foo:"}},
		"a check":     {[]string{"-ledger", "sqlite:l.db", "-broker", "nats://127.0.0.1:1", "-tenants", file}, []Check{refuse}, []string{file, "not these tenants"}},
		"nobody home": {[]string{"-ledger", "sqlite:l.db", "-broker", "nats://127.0.0.1:1", "-tenants", file + "x"}, nil, []string{file + "x"}},
	} {
		fs := flag.NewFlagSet("", flag.ContinueOnError)
		build := program("demo", func(*flag.FlagSet) Make { return nil }, c.checks).Configure(fs)
		if err := fs.Parse(c.args); err != nil {
			t.Fatal(err)
		}
		_, err := build()
		if (err == nil) != (len(c.says) == 0) {
			t.Errorf("%s: %v", name, err)
		}
		for _, s := range c.says {
			if err != nil && !strings.Contains(err.Error(), s) {
				t.Errorf("%s: %v does not say %q", name, err, s)
			}
		}
	}
}
