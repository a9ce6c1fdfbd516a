package sbbroker

import (
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
)

// clientOptions make the client library mend links and connections itself, quickly: it does that only while it tries again.
func clientOptions() *azservicebus.ClientOptions {
	return &azservicebus.ClientOptions{
		ApplicationID: "taxiway",
		RetryOptions:  azservicebus.RetryOptions{MaxRetries: 3, RetryDelay: 50 * time.Millisecond, MaxRetryDelay: 2 * time.Second},
	}
}
