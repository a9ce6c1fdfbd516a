package simulator_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus/admin"

	"taxiway.example/pkg/broker/sbbroker/simulator"
)

// roundTrip sends and completes one message.
func roundTrip(t *testing.T, s *simulator.Server, c *azservicebus.Client) {
	t.Helper()
	b := working(t, s, c)
	b.send(b.sender("plain"), "a")
	r := b.receiver("plain", nil)
	b.complete(r, b.one(r))
	b.want("plain", simulator.Counts{})
}

func TestWithoutSocket(t *testing.T) {
	t.Parallel()
	s := newServer(t, topology())
	c, err := azservicebus.NewClientFromConnectionString(s.ConnectionString(), &azservicebus.ClientOptions{
		NewWebSocketConn: func(context.Context, azservicebus.NewWebSocketConnArgs) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go s.ServeConn(ours)
			return theirs, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, c)
	roundTrip(t, s, c)
}

// fixedToken is a TokenCredential without an identity provider.
type fixedToken string

func (f fixedToken) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: string(f), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

func TestTLSWithTokenCredential(t *testing.T) {
	t.Parallel()
	s := newServer(t, topology())
	// httptest brings a certificate for example.com and the pool to trust it.
	https := httptest.NewTLSServer(http.NotFoundHandler())
	defer https.Close()
	ln, err := tls.Listen(
		"tcp",
		"127.0.0.1:0",
		&tls.Config{Certificates: https.TLS.Certificates, MinVersion: tls.VersionTLS12},
	)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { served <- s.Serve(ctx, ln) }()
	defer func() {
		cancel()
		<-served
	}()
	c, err := azservicebus.NewClient("example.com", fixedToken("header.payload.signature"), &azservicebus.ClientOptions{
		CustomEndpoint: ln.Addr().String(),
		TLSConfig:      https.Client().Transport.(*http.Transport).TLSClientConfig.Clone(),
	})
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, c)
	roundTrip(t, s, c)
}

func TestKeyIsNotPrinted(t *testing.T) {
	t.Parallel()
	s, err := simulator.New(simulator.Topology{}, simulator.WithKey("hush"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	for _, format := range []string{"%v", "%+v", "%#v"} {
		if strings.Contains(fmt.Sprintf(format, s), "hush") {
			t.Errorf("%s prints the key", format)
		}
	}
}

func TestWrongKey(t *testing.T) {
	t.Parallel()
	s := newServer(t, topology(), simulator.WithKey("right"))
	wrong := strings.Replace(s.ConnectionString(), "SharedAccessKey=right", "SharedAccessKey=wrong", 1)
	c, err := azservicebus.NewClientFromConnectionString(wrong, nil)
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, c)
	sender, err := c.NewSender("plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, azservicebus.CodeUnauthorizedAccess, sender.SendMessage(deadline(t), message("a"), nil))
}

// detour sends the administration client's requests, which always go to port 443,
// to a handler.
type detour struct{ http.Handler }

func (d detour) Do(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w.Result(), nil
}

func TestAdminCounts(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	s := b.sender("plain")
	r := b.receiver("plain", nil)
	b.send(s, "a", "b", "c")
	b.must(r.DeadLetterMessage(b.ctx, b.one(r), nil))
	b.send(b.sender("events"), "x")
	options := &admin.ClientOptions{ClientOptions: azcore.ClientOptions{Transport: detour{b.server.AdminHandler()}}}
	c, err := admin.NewClientFromConnectionString(b.server.ConnectionString(), options)
	b.must(err)
	q, err := c.GetQueueRuntimeProperties(b.ctx, "plain", nil)
	b.must(err)
	if q.ActiveMessageCount != 2 || q.DeadLetterMessageCount != 1 || q.TotalMessageCount != 3 || q.SizeInBytes == 0 {
		t.Errorf("got %+v", q.QueueRuntimeProperties)
	}
	sub, err := c.GetSubscriptionRuntimeProperties(b.ctx, "events", "left", nil)
	b.must(err)
	if sub.ActiveMessageCount != 1 {
		t.Errorf("got %+v", sub.SubscriptionRuntimeProperties)
	}
	topic, err := c.GetTopicRuntimeProperties(b.ctx, "events", nil)
	b.must(err)
	if topic.SubscriptionCount != 2 {
		t.Errorf("got %+v", topic.TopicRuntimeProperties)
	}
	if none, err := c.GetQueueRuntimeProperties(b.ctx, "nowhere", nil); err != nil || none != nil {
		t.Errorf("unknown queue: %v, %v", none, err)
	}
	if _, err := c.DeleteQueue(b.ctx, "plain", nil); err == nil {
		t.Error("deleting a queue seems to work")
	}
}

func TestCloseEndsEverything(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	b.send(b.sender("plain"), "a")
	b.must(b.server.Close())
	b.must(b.server.Close())
	if err := b.server.Listen(b.ctx, "127.0.0.1:0"); err == nil {
		t.Error("a closed server listens")
	}
}
