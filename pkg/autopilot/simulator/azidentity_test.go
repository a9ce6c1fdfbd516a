package simulator

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// publicLogin is where Microsoft's libraries ask about a login host that they do not know.
const publicLogin = "login.microsoftonline.com"

// cloudOf serves the simulator with TLS, as azidentity wants it, and returns its address and a client that reaches it
// also as login.microsoftonline.com.
func (r *fixture) cloudOf() (address string, client *http.Client) {
	r.Helper()
	server := httptest.NewTLSServer(r.s.Handler())
	r.Cleanup(server.Close)
	client = server.Client()
	r.Cleanup(client.CloseIdleConnections)
	client.Transport = public{client.Transport, strings.TrimPrefix(server.URL, "https://")}
	return server.URL, client
}

// public leads requests for login.microsoftonline.com to one address and leaves their Host header alone.
type public struct {
	next    http.RoundTripper
	address string
}

func (p public) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != publicLogin {
		return p.next.RoundTrip(r)
	}
	out := r.Clone(r.Context())
	out.Host = publicLogin
	out.URL.Host = p.address
	return p.next.RoundTrip(out)
}

// CloseIdleConnections is what http.Client looks for.
func (p public) CloseIdleConnections() {
	if t, ok := p.next.(*http.Transport); ok {
		t.CloseIdleConnections()
	}
}

// azidentity, unchanged, signs in: at the simulator's own address and at Microsoft's name for it, with and without
// instance discovery.
func TestAzidentity(t *testing.T) {
	for name, tc := range map[string]struct {
		login   string // "" is the simulator's address
		disable bool
	}{
		"own host, without instance discovery":    {"", true},
		"own host, with instance discovery":       {"", false},
		"public host, with instance discovery":    {"https://" + publicLogin, false},
		"public host, without instance discovery": {"https://" + publicLogin, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newFixture(t, patient())
			address, client := r.cloudOf()
			options := azcore.ClientOptions{
				Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: address},
				Transport: client,
			}
			if tc.login != "" {
				options.Cloud.ActiveDirectoryAuthorityHost = tc.login
			}
			credential, err := azidentity.NewClientSecretCredential(contoso, clientID, secret,
				&azidentity.ClientSecretCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: tc.disable})
			if err != nil {
				t.Fatal(err)
			}
			r.useTokenOf(credential)
			if n := len(r.s.Log("instance.discovery")); (n == 0) != tc.disable {
				t.Errorf("%d requests of instance discovery", n)
			}
			if n := len(r.s.Log("openid.configuration")); n != 1 {
				t.Errorf("%d requests of the discovery document", n)
			}
		})
	}
}

// useTokenOf signs in and reads something with the token.
func (r *fixture) useTokenOf(credential azcore.TokenCredential) {
	r.Helper()
	token, err := credential.GetToken(r.Context(), policy.TokenRequestOptions{Scopes: []string{graphScope}})
	if err != nil {
		r.Fatal(err)
	}
	signedIn := *r
	signedIn.token = token.Token
	signedIn.must(http.StatusOK, "GET", "/v1.0/devices", nil)
}

func TestAzidentityWithACertificate(t *testing.T) {
	r := newFixture(t, patient())
	address, client := r.cloudOf()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "taxiway"}, NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	credential, err := azidentity.NewClientCertificateCredential(contoso, clientID, []*x509.Certificate{certificate}, key,
		&azidentity.ClientCertificateCredentialOptions{
			ClientOptions: azcore.ClientOptions{
				Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: address}, Transport: client,
			},
			DisableInstanceDiscovery: true,
		})
	if err != nil {
		t.Fatal(err)
	}
	r.useTokenOf(credential)
}

// What azidentity says about a refusal has Entra's number in it.
func TestAzidentityIsRefused(t *testing.T) {
	r := newFixture(t, patient())
	address, client := r.cloudOf()
	for want, who := range map[string][3]string{
		"AADSTS7000215": {contoso, clientID, "wrong"},
		"AADSTS700016":  {contoso, contoso, secret},
		"AADSTS90002":   {clientID, clientID, secret},
	} {
		credential, err := azidentity.NewClientSecretCredential(who[0], who[1], who[2],
			&azidentity.ClientSecretCredentialOptions{
				ClientOptions: azcore.ClientOptions{
					Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: address}, Transport: client,
				},
				DisableInstanceDiscovery: true,
			})
		if err != nil {
			t.Fatal(err)
		}
		_, err = credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{graphScope}})
		if _, failed := errors.AsType[*azidentity.AuthenticationFailedError](err); !failed || !strings.Contains(err.Error(), want+":") {
			t.Errorf("want %s, got %v", want, err)
		}
	}
}
