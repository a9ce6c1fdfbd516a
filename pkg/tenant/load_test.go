package tenant_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/tenant"
)

func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestLoad(t *testing.T) {
	t.Parallel()
	second := strings.NewReplacer("id: contoso", "id: fabrikam", "%KEY%", tenant.Hash("l"), "\ntenants:\n", "").Replace(contoso)
	d, err := tenant.Load(write(t, strings.ReplaceAll(contoso, "%KEY%", tenant.Hash("k"))+second))
	if err != nil {
		t.Fatal(err)
	}
	if ids := d.IDs(); !slices.Equal(ids, []device.TenantID{"contoso", "fabrikam"}) || d.All()[1].ID != "fabrikam" {
		t.Errorf("%v", ids)
	}
	limits := d.All()[0].Limits
	for name, rates := range map[string][2]ledger.Rate{
		"writes":    {limits.WriteRate(), {Limit: 60, Window: 20 * time.Second}},
		"reads":     {limits.ReadRate(), {Limit: 800, Window: 20 * time.Second}},
		"directory": {limits.DirectoryRate(), {Limit: 2000, Window: 20 * time.Second}},
	} {
		if rates[0] != rates[1] {
			t.Errorf("%s: %+v", name, rates[0])
		}
	}
	none := filepath.Join(t.TempDir(), "none.yaml")
	if _, err := tenant.Load(none); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), none) {
		t.Errorf("%v", err)
	}
	wrong := write(t, "tenants: [{id: Contoso}]")
	if _, err := tenant.Load(wrong); err == nil || !strings.Contains(err.Error(), wrong) || !strings.Contains(err.Error(), `"Contoso"`) {
		t.Errorf("%v", err)
	}
}

func TestSecret(t *testing.T) {
	t.Setenv("TAXIWAY_TEST_SECRET", "s3cret")
	t.Setenv("TAXIWAY_TEST_EMPTY", "")
	for name, c := range map[string]struct {
		credential tenant.Credential
		want, says string
	}{
		"environment": {tenant.Credential{SecretEnv: "TAXIWAY_TEST_SECRET"}, "s3cret", ""},
		"empty":       {tenant.Credential{SecretEnv: "TAXIWAY_TEST_EMPTY"}, "", "TAXIWAY_TEST_EMPTY is empty"},
		"file":        {tenant.Credential{SecretFile: write(t, " s3cret\r\n")}, "s3cret", ""},
		"empty file":  {tenant.Credential{SecretFile: write(t, "\n")}, "", "is empty"},
		"no file":     {tenant.Credential{SecretFile: filepath.Join(t.TempDir(), "none")}, "", "secret file"},
	} {
		got, err := c.credential.Secret()
		if got != c.want || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
}
