package autopilot

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/graph"
	"taxiway.example/pkg/hwhash"
	"taxiway.example/pkg/tenant"
)

// tokens returns the way a tenant signs in. What a reference points to is read at each sign-in, not here, so that a renewed
// secret or certificate counts without a restart.
func (d *Directory) tokens(t tenant.Tenant) (graph.TokenSource, error) {
	switch t.Credential.Kind {
	case "", "secret":
		return graph.ClientSecret{
			Login: t.Endpoints.Login, Tenant: t.EntraTenantID, ClientID: t.ClientID, Scope: scope(t),
			Secret: func() (hwhash.Secret, error) { return readSecret(t.Credential) },
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
	pem, err := readFile(t.Credential.CertFile)
	if err != nil {
		return nil, err
	}
	certs, key, err := azidentity.ParseCertificates(pem, nil)
	if err != nil {
		return nil, fmt.Errorf("certificate file: %w", err)
	}
	return azidentity.NewClientCertificateCredential(t.EntraTenantID, t.ClientID, certs, key,
		&azidentity.ClientCertificateCredentialOptions{ClientOptions: d.azure(t)})
}

func (d *Directory) workload(t tenant.Tenant) (azcore.TokenCredential, error) {
	return azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
		ClientOptions: d.azure(t), TenantID: t.EntraTenantID, ClientID: t.ClientID,
	})
}

func (d *Directory) managed(t tenant.Tenant) (azcore.TokenCredential, error) {
	return azidentity.NewManagedIdentityCredential(&azidentity.ManagedIdentityCredentialOptions{
		ID: azidentity.ClientID(t.ClientID),
	})
}

// readSecret follows the reference of a client secret. Line ends around it, which editors and mounts add, do not belong to it.
func readSecret(c tenant.Credential) (hwhash.Secret, error) {
	if c.SecretFile != "" {
		raw, err := readFile(c.SecretFile)
		if err != nil {
			return hwhash.Secret{}, err
		}
		return notEmpty(string(bytes.Trim(raw, "\r\n")), "the secret file is empty")
	}
	return notEmpty(os.Getenv(c.SecretEnv), "the environment variable "+c.SecretEnv+" is not set")
}

func notEmpty(secret, otherwise string) (hwhash.Secret, error) {
	if secret == "" {
		return hwhash.Secret{}, errors.New(otherwise)
	}
	return hwhash.NewSecret(secret), nil
}

// maxCredential bounds what is read of a secret or certificate file, in bytes.
const maxCredential = 256 << 10

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("credential file: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	raw, err := io.ReadAll(io.LimitReader(f, maxCredential))
	if err != nil {
		return nil, fmt.Errorf("credential file: %w", err)
	}
	return raw, nil
}
