package sbbroker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"taxiway.example/pkg/fault"
)

// maxConnectionString bounds the file that a connection string is read from.
const maxConnectionString = 8 << 10

// Open connects to the namespace that an address names and returns a broker on it:
//
//	servicebus://NAMESPACE.servicebus.windows.net    as the workload's or the machine's managed identity
//	servicebus+env:NAME                              connection string in an environment variable
//	servicebus+file:PATH                             connection string in a file
//
// Connection strings are for development and simulators. Parameters behind a question mark: credential=workload, managed or cli
// insists on one kind of credential, client=ID names a user-assigned identity, prefix=NAME is Topology.Prefix.
func Open(ctx context.Context, address string, o Options) (*Broker, error) {
	place, query, _ := strings.Cut(address, "?")
	if err := noSecret(place); err != nil {
		return nil, err
	}
	params, err := url.ParseQuery(query)
	if err != nil {
		return nil, errors.New("broker address: the part behind the question mark cannot be read")
	}
	for name := range params {
		if name != "credential" && name != "client" && name != "prefix" {
			return nil, errors.New("broker address: want the parameters credential, client or prefix")
		}
	}
	if prefix := params.Get("prefix"); prefix != "" {
		o.Topology.Prefix = prefix
	}
	client, err := dial(place, params)
	if err != nil {
		return nil, err
	}
	b, err := New(ctx, client, o)
	if err != nil {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		return nil, errors.Join(err, client.Close(closing))
	}
	return b, nil
}

// noSecret refuses a connection string where the name of its place belongs, and does not repeat it.
func noSecret(place string) error {
	scheme, rest, _ := strings.Cut(place, ":")
	if strings.HasPrefix(scheme, "servicebus+") && strings.ContainsAny(rest, "=;") {
		return errors.New("broker address: a connection string belongs into an environment variable or a file; the address names only which")
	}
	return nil
}

func dial(place string, params url.Values) (*azservicebus.Client, error) {
	scheme, rest, _ := strings.Cut(place, ":")
	switch scheme {
	case "servicebus":
		return dialNamespace(strings.Trim(rest, "/"), params)
	case "servicebus+env":
		return dialSecret(os.Getenv(rest), "the environment variable "+rest)
	case "servicebus+file":
		text, err := readSecret(strings.TrimPrefix(rest, "//"))
		if err != nil {
			return nil, fmt.Errorf("broker address: %w", err)
		}
		return dialSecret(text, "the file")
	}
	return nil, errors.New("broker address: want servicebus://NAMESPACE…, servicebus+env:NAME or servicebus+file:PATH")
}

// dialNamespace only prepares: the first call connects and gets a token.
func dialNamespace(namespace string, params url.Values) (*azservicebus.Client, error) {
	if namespace == "" || strings.ContainsAny(namespace, "@/;=") {
		return nil, errors.New("broker address: want a namespace's host name behind servicebus://, and no secret")
	}
	cred, err := credential(params.Get("credential"), params.Get("client"))
	if err != nil {
		return nil, fault.Wrap(err, fault.BrokerUnavailable, "the credentials for the namespace cannot be used")
	}
	return azservicebus.NewClient(namespace, cred, clientOptions())
}

// dialSecret keeps quiet about what is wrong with a connection string: the client library would quote it.
func dialSecret(text, where string) (*azservicebus.Client, error) {
	client, err := azservicebus.NewClientFromConnectionString(strings.TrimSpace(text), clientOptions())
	if err != nil {
		return nil, fmt.Errorf("broker address: %s holds no connection string of a Service Bus namespace", where)
	}
	return client, nil
}

func readSecret(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxConnectionString))
	return string(text), errors.Join(err, f.Close())
}

// credential returns the kind asked for; without a kind the workload's identity if it has one, else the machine's.
func credential(kind, clientID string) (azcore.TokenCredential, error) {
	switch kind {
	case "workload":
		return azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{ClientID: clientID})
	case "managed":
		return managed(clientID)
	case "cli":
		return azidentity.NewAzureCLICredential(nil)
	case "":
		machine, err := managed(clientID)
		if err != nil {
			return nil, err
		}
		if workload, err := credential("workload", clientID); err == nil {
			return azidentity.NewChainedTokenCredential([]azcore.TokenCredential{workload, machine}, nil)
		}
		return machine, nil
	}
	return nil, errors.New("want credential=workload, managed or cli")
}

func managed(clientID string) (azcore.TokenCredential, error) {
	o := &azidentity.ManagedIdentityCredentialOptions{}
	if clientID != "" {
		o.ID = azidentity.ClientID(clientID)
	}
	return azidentity.NewManagedIdentityCredential(o)
}

// clientOptions make the client library mend links and connections quickly: it mends only while it tries again.
func clientOptions() *azservicebus.ClientOptions {
	return &azservicebus.ClientOptions{
		ApplicationID: "taxiway",
		RetryOptions:  azservicebus.RetryOptions{MaxRetries: 2, RetryDelay: 50 * time.Millisecond, MaxRetryDelay: 2 * time.Second},
	}
}
