package sbbroker

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus/admin"

	"taxiway.example/pkg/awaittest"
)

// azure is a real namespace. Entities are made for each test and deleted after it.
type azure struct{ admin *admin.Client }

func newAzure(t *testing.T, secret string, types ...string) *backend {
	t.Helper()
	client, err := admin.NewClientFromConnectionString(secret, nil)
	if err != nil {
		t.Fatal("SERVICEBUS_CONNECTION_STRING holds no connection string of a namespace")
	}
	_, host, _ := strings.Cut(secret, "sb://")
	host = host[:strings.IndexAny(host+"/", "/;")]
	l := newLine(t, host+":5671")
	o := ClientOptions()
	o.CustomEndpoint = l.ln.Addr().String()
	o.TLSConfig = &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	return newBackend(t, backend{
		namespace: azure{client}, topology: Topology{Prefix: "taxiway-contract-" + strings.ToLower(rand.Text()[:12])},
		secret: secret, options: o, line: l, lease: 10 * time.Second, // locks of less than 5 s are not to be had
	}, types...)
}

func (a azure) addTopic(t *testing.T, name string) {
	t.Helper()
	on := true
	window := iso(DuplicateWindow)
	_, err := a.admin.CreateTopic(t.Context(), name, &admin.CreateTopicOptions{Properties: &admin.TopicProperties{
		RequiresDuplicateDetection: &on, DuplicateDetectionHistoryTimeWindow: &window,
	}})
	a.made(t, err, func(ctx context.Context) error { _, err := a.admin.DeleteTopic(ctx, name, nil); return err })
}

func (a azure) addSubscription(t *testing.T, topic, name string, lock time.Duration) {
	t.Helper()
	duration := iso(lock)
	most := int32(MaxDeliveryCount)
	_, err := a.admin.CreateSubscription(t.Context(), topic, name, &admin.CreateSubscriptionOptions{
		Properties: &admin.SubscriptionProperties{LockDuration: &duration, MaxDeliveryCount: &most},
	})
	a.made(t, err, nil) // it goes with its topic
}

func (a azure) addQueue(t *testing.T, name string, lock time.Duration, dedupe bool) {
	t.Helper()
	duration := iso(lock)
	most := int32(MaxDeliveryCount)
	window := iso(DuplicateWindow)
	_, err := a.admin.CreateQueue(t.Context(), name, &admin.CreateQueueOptions{Properties: &admin.QueueProperties{
		LockDuration: &duration, MaxDeliveryCount: &most, RequiresDuplicateDetection: &dedupe,
		DuplicateDetectionHistoryTimeWindow: &window,
	}})
	a.made(t, err, func(ctx context.Context) error { _, err := a.admin.DeleteQueue(ctx, name, nil); return err })
}

func (a azure) made(t *testing.T, err error, remove func(context.Context) error) {
	t.Helper()
	if refused, ok := errors.AsType[*azcore.ResponseError](err); ok && refused.StatusCode == http.StatusConflict {
		return // it is there
	}
	if err != nil {
		t.Fatal(err)
	}
	if remove == nil {
		return
	}
	t.Cleanup(func() {
		ctx, cancel := awaittest.Context(context.WithoutCancel(t.Context()))
		defer cancel()
		if err := remove(ctx); err != nil {
			t.Errorf("an entity stays behind: %v", err)
		}
	})
}

// iso writes a duration as ISO 8601.
func iso(d time.Duration) string { return fmt.Sprintf("PT%dS", int(d.Seconds())) }
