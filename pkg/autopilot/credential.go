package autopilot

import (
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/graph"
	"taxiway.example/pkg/hwhash"
	"taxiway.example/pkg/tenant"
)

// Tokens returns the way a tenant signs in. What a reference points to is read at each sign-in, not here, so that a
// renewed secret or certificate counts without a restart.
func (d *Directory) Tokens(t tenant.Tenant) (graph.TokenSource, error) {
	switch t.Credential.Kind {
	case "", "secret":
		return graph.ClientSecret{
			Login: t.Endpoints.Login, Tenant: t.EntraTenantID, ClientID: t.ClientID, Scope: scope(t),
			Secret: func() (hwhash.Secret, error) { return secret(t.Credential) },
			HTTP:   d.settings.HTTP, Now: d.settings.Now,
		}, nil
	case "certificate":
		return graph.FromCredential(scope(t), func() (azcore.TokenCredential, error) { return d.certificate(t) }), nil
	case "workload":
		return graph.FromCredential(scope(t), func() (azcore.TokenCredential, error) { return d.workload(t) }), nil
	case "managed":
		return graph.FromCredential(scope(t), func() (azcore.TokenCredential, error) { return d.managed(t) }), nil
	}
	return nil, fault.Newf(fault.TenantCredentialsRefused, "credential kind %q is not known", t.Credential.Kind)
}

// azure points azidentity at the tenant's login host and at our HTTP client.
func (d *Directory) azure(t tenant.Tenant) azcore.ClientOptions {
	return azcore.ClientOptions{
		Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: t.Endpoints.Login},
		Transport: d.settings.HTTP,
	}
}

func (d *Directory) certificate(t tenant.Tenant) (azcore.TokenCredential, error) {
	pem, err := t.Credential.Certificate()
	if err != nil {
		return nil, err
	}
	certs, key, err := azidentity.ParseCertificates(pem, nil)
	if err != nil {
		detail := fmt.Sprintf("the certificate file %s holds no certificate with its key", t.Credential.CertFile)
		return nil, fault.Wrap(err, fault.TenantCredentialsUnreadable, detail)
	}
	return azidentity.NewClientCertificateCredential(t.EntraTenantID, t.ClientID, certs, key,
		&azidentity.ClientCertificateCredentialOptions{ClientOptions: d.azure(t)})
}

func (d *Directory) workload(t tenant.Tenant) (azcore.TokenCredential, error) {
	if err := t.Credential.Readable(); err != nil {
		return nil, err
	}
	return azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
		ClientOptions: d.azure(t), TenantID: t.EntraTenantID, ClientID: t.ClientID,
	})
}

func secret(c tenant.Credential) (hwhash.Secret, error) {
	text, err := c.Secret()
	return hwhash.NewSecret(text), err
}

func (d *Directory) managed(t tenant.Tenant) (azcore.TokenCredential, error) {
	return azidentity.NewManagedIdentityCredential(&azidentity.ManagedIdentityCredentialOptions{
		ID: azidentity.ClientID(t.ClientID),
	})
}
