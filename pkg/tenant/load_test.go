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

	"taxiway.example/pkg/budget"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
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
	second := strings.NewReplacer("id: contoso", "id: fabrikam", "%KEY%", tenant.Hash("l"), "\ntenants:\n", "").
		Replace(contoso)
	d, err := tenant.Load(write(t, strings.ReplaceAll(contoso, "%KEY%", tenant.Hash("k"))+second))
	if err != nil {
		t.Fatal(err)
	}
	if ids := d.IDs(); !slices.Equal(ids, []device.TenantID{"contoso", "fabrikam"}) || d.All()[1].ID != "fabrikam" {
		t.Errorf("%v", ids)
	}
	limits := d.All()[0].Limits
	for name, rates := range map[string][2]budget.Rate{
		"writes":    {limits.WriteRate(), {Limit: 60, Window: 20 * time.Second, Whole: true}},
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
	if _, err := tenant.Load(wrong); err == nil || !strings.Contains(err.Error(), wrong) ||
		!strings.Contains(err.Error(), `"Contoso"`) {
		t.Errorf("%v", err)
	}
}

func TestCredentials(t *testing.T) {
	t.Setenv("TAXIWAY_TEST_SECRET", "s3cret")
	t.Setenv("TAXIWAY_TEST_EMPTY", "")
	t.Setenv("AZURE_FEDERATED_TOKEN_FILE", "")
	none := filepath.Join(t.TempDir(), "none")
	blank := write(t, "\n")
	pem := write(t, "-----BEGIN")
	for name, c := range map[string]struct {
		credential tenant.Credential
		want       string
		says       []string
	}{
		"environment":        {tenant.Credential{SecretEnv: "TAXIWAY_TEST_SECRET"}, "s3cret", nil},
		"empty":              {tenant.Credential{SecretEnv: "TAXIWAY_TEST_EMPTY"}, "", []string{"TAXIWAY_TEST_EMPTY"}},
		"file":               {tenant.Credential{SecretFile: write(t, " s3cret\r\n")}, "s3cret", nil},
		"empty file":         {tenant.Credential{SecretFile: blank}, "", []string{blank, "is empty"}},
		"no file":            {tenant.Credential{SecretFile: none}, "", []string{none, "cannot be read"}},
		"certificate":        {tenant.Credential{Kind: "certificate", CertFile: pem}, "-----BEGIN", nil},
		"no certificate":     {tenant.Credential{Kind: "certificate", CertFile: none}, "", []string{none, "cannot be read"}},
		"no token file":      {tenant.Credential{Kind: "workload"}, "", []string{"AZURE_FEDERATED_TOKEN_FILE"}},
		"nothing to look at": {tenant.Credential{Kind: "managed"}, "", nil},
	} {
		d, err := tenant.NewDirectory(tenant.Tenant{
			ID: "contoso", EntraTenantID: "6f1d7f0a-0000-4000-8000-000000000001",
			ClientID: "6f1d7f0a-0000-4000-8000-000000000002", Credential: c.credential,
		})
		if err != nil {
			t.Fatal(name, err)
		}
		checked := d.CheckCredentials()
		if (checked == nil) != (c.says == nil) ||
			checked != nil && !strings.Contains(checked.Error(), `tenant 1 ("contoso"): credential: `) {
			t.Errorf("%s: checked: %v", name, checked)
		}
		got, err := of(c.credential)
		if got != c.want || (err == nil) != (c.says == nil) {
			t.Errorf("%s: %q %v", name, got, err)
		}
		for _, s := range c.says {
			if fault.CodeOf(err) != fault.TenantCredentialsUnreadable || !strings.Contains(fault.DetailOf(err), s) ||
				!strings.Contains(checked.Error(), s) {
				t.Errorf("%s: %v, checked: %v", name, err, checked)
			}
		}
	}
}

func of(c tenant.Credential) (string, error) {
	switch c.Kind {
	case "":
		return c.Secret()
	case "certificate":
		raw, err := c.Certificate()
		return string(raw), err
	}
	return "", c.Readable()
}
