package autopilot_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/tenant"
)

func TestDirectoryHasOneClientForEachTenant(t *testing.T) {
	other := tenant.Tenant{
		ID: "other", EntraTenantID: contoso, ClientID: clientID, Credential: tenant.Credential{SecretEnv: secretAt},
		Endpoints: tenant.Endpoints{Graph: "http://graph.example"},
	}
	good := other
	good.ID = tenantID
	good.Endpoints = tenant.Endpoints{}
	d := autopilot.NewDirectory(autopilot.Settings{Budget: &spending{}, Tenants: directory(t, good, other)})
	first, err := d.For(tenantID)
	again, errAgain := d.For(tenantID)
	if err != nil || errAgain != nil || first != again {
		t.Errorf("%v %v: the client is made once", err, errAgain)
	}
	if _, err = d.For("nobody"); fault.CodeOf(err) != fault.TenantUnknown {
		t.Error(err)
	}
	if _, err = d.For("other"); fault.CodeOf(err) != fault.TenantCredentialsRefused {
		t.Errorf("plain http beyond this machine: %v", err)
	}
}

// TestSecretIsReadAtEachSignIn: a renewed secret counts without a restart.
func TestSecretIsReadAtEachSignIn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	write := func(secret string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(secret), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := newFixture(t, func(s *autopilot.Settings, _ *simulator.Options) {
		s.Tenants = directory(t, tenant.Tenant{
			ID: tenantID, EntraTenantID: contoso, ClientID: clientID, Credential: tenant.Credential{SecretFile: file},
			Endpoints: tenant.Endpoints{Login: "http://127.0.0.1:1", Graph: "http://127.0.0.1:1"},
		})
	})
	for _, step := range []struct {
		secret string
		want   fault.Code
	}{{"", fault.TenantCredentialsUnreadable}, {"wrong", fault.TenantSecretInvalid}, {password + "\r\n", fault.CodeUnknown}} {
		write(step.secret)
		_, err := r.Imported(t.Context(), autopilot.Wanted{ImportID: importID})
		r.wantCode(err, step.want)
	}
	_ = os.Remove(file)
	r.sim.RevokeTokens(contoso)
	_, err := r.Imported(t.Context(), autopilot.Wanted{ImportID: importID})
	r.wantCode(err, fault.TenantCredentialsUnreadable)
}

// TestCredentialKindsOfAzidentity cannot sign in without Entra; it shows that each kind is made, is asked, and fails as
// a fault.
func TestCredentialKindsOfAzidentity(t *testing.T) {
	file := filepath.Join(t.TempDir(), "certificate.pem")
	if err := os.WriteFile(file, certificate(t), 0o600); err != nil {
		t.Fatal(err)
	}
	var hosts []string
	offline := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		hosts = append(hosts, r.URL.Host)
		return &http.Response{
			StatusCode: http.StatusUnauthorized, Request: r, Header: http.Header{"Content-Type": {"application/json"}},
			Body: http.NoBody,
		}, nil
	})}
	t.Setenv("AZURE_FEDERATED_TOKEN_FILE", "")
	for name, tt := range map[string]struct {
		credential tenant.Credential
		want       fault.Code
		detail     string
	}{
		"certificate":    {tenant.Credential{Kind: "certificate", CertFile: file}, fault.TenantCredentialsRefused, "Entra refused"},
		"no such file":   {tenant.Credential{Kind: "certificate", CertFile: file + "x"}, fault.TenantCredentialsUnreadable, file + "x"},
		"no token file":  {tenant.Credential{Kind: "workload"}, fault.TenantCredentialsUnreadable, "AZURE_FEDERATED_TOKEN_FILE"},
		"no PEM data":    {tenant.Credential{Kind: "certificate", CertFile: "directory_test.go"}, fault.TenantCredentialsUnreadable, "directory_test.go"},
		"unset variable": {tenant.Credential{SecretEnv: "TAXIWAY_TEST_UNSET"}, fault.TenantCredentialsUnreadable, "TAXIWAY_TEST_UNSET"},
		"refused secret": {tenant.Credential{SecretEnv: secretAt}, fault.TenantCredentialsRefused, "Entra"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(secretAt, password)
			d := autopilot.NewDirectory(autopilot.Settings{
				Budget: &spending{}, HTTP: offline,
				Tenants: directory(
					t,
					tenant.Tenant{ID: tenantID, EntraTenantID: contoso, ClientID: clientID, Credential: tt.credential},
				),
			})
			c, err := d.For(tenantID)
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.Imported(t.Context(), autopilot.Wanted{ImportID: importID})
			if fault.CodeOf(err) != tt.want || !strings.Contains(fault.DetailOf(err), tt.detail) {
				t.Errorf("%v, detail %q", err, fault.DetailOf(err))
			}
			if fault.KindOf(err) != fault.Denied {
				t.Errorf("%s: devices must wait for an administrator", fault.KindOf(err))
			}
		})
	}
	for _, host := range hosts {
		if strings.HasPrefix(host, "graph.") {
			t.Error("something was sent to Graph without a token")
		}
	}
	if len(hosts) == 0 {
		t.Error("nobody was asked")
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func certificate(t *testing.T) []byte {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	out := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return append(out, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})...)
}
