package tenant

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"taxiway.example/pkg/fault"
)

// maxCredential bounds what is read of a secret or certificate file, in bytes.
const maxCredential = 256 << 10

// Secret reads the client secret that the credential refers to, without the blanks and line ends that editors and
// mounts leave around it. The error is a fault.TenantCredentialsUnreadable whose detail names the variable or the file.
func (c Credential) Secret() (string, error) {
	if c.SecretFile != "" {
		raw, err := readFile("secret file", c.SecretFile)
		return strings.TrimSpace(string(raw)), err
	}
	if secret := strings.TrimSpace(os.Getenv(c.SecretEnv)); secret != "" {
		return secret, nil
	}
	return "", fault.Newf(
		fault.TenantCredentialsUnreadable,
		"the environment variable %s is not set, or empty",
		c.SecretEnv,
	)
}

// Certificate reads the file with certificate and key. The error is a fault.TenantCredentialsUnreadable whose detail
// names it.
func (c Credential) Certificate() ([]byte, error) { return readFile("certificate file", c.CertFile) }

// federatedToken is the variable that names the file with a workload's token (Microsoft page "Microsoft Entra Workload
// ID").
const federatedToken = "AZURE_FEDERATED_TOKEN_FILE"

// Readable reads what the credential refers to and says why that cannot be done, as Secret and Certificate do.
func (c Credential) Readable() error {
	var err error
	switch c.Kind {
	case "", "secret":
		_, err = c.Secret()
	case "certificate":
		_, err = c.Certificate()
	case "workload":
		name := os.Getenv(federatedToken)
		if name == "" {
			return fault.Newf(
				fault.TenantCredentialsUnreadable,
				"the environment variable %s, which names the workload's token, is not set",
				federatedToken,
			)
		}
		_, err = readFile("workload's token file", name)
	}
	return err
}

// CheckCredentials reads every secret and certificate that the tenants refer to, and names those that cannot be read.
// It is for processes that sign in; Load does not look at them.
func (d *Directory) CheckCredentials() error {
	var problems []error
	for i, t := range d.All() {
		if err := t.Credential.Readable(); err != nil {
			problems = append(problems, fmt.Errorf("tenant %d (%q): credential: %w", i+1, t.ID, err))
		}
	}
	return errors.Join(problems...)
}

func readFile(what, name string) ([]byte, error) {
	raw, err := readAll(name)
	if err != nil {
		return nil, fault.Wrap(
			err,
			fault.TenantCredentialsUnreadable,
			fmt.Sprintf("the %s %s cannot be read", what, name),
		)
	}
	if strings.TrimSpace(string(raw)) == "" {
		return nil, fault.Newf(fault.TenantCredentialsUnreadable, "the %s %s is empty", what, name)
	}
	return raw, nil
}

func readAll(name string) ([]byte, error) {
	f, err := os.Open(name) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxCredential))
	return raw, errors.Join(err, f.Close())
}
