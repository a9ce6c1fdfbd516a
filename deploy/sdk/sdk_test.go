package sdk_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/google/go-cmp/cmp"
	abstractions "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoft/kiota-abstractions-go/serialization"
	auth "github.com/microsoft/kiota-authentication-azure-go"
	khttp "github.com/microsoft/kiota-http-go"
	kjson "github.com/microsoft/kiota-serialization-json-go"
	msgraph "github.com/microsoftgraph/msgraph-sdk-go-core"

	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/hwhash"
)

const (
	contoso  = "11111111-1111-1111-1111-111111111111"
	clientID = "33333333-3333-3333-3333-333333333333"
	secret   = "s3cret"
	imported = "/deviceManagement/importedWindowsAutopilotDeviceIdentities"
)

// TestMain registers the SDK's JSON, as its generated clients do.
func TestMain(m *testing.M) {
	abstractions.RegisterDefaultSerializer(func() serialization.SerializationWriterFactory {
		return kjson.NewJsonSerializationWriterFactory()
	})
	abstractions.RegisterDefaultDeserializer(func() serialization.ParseNodeFactory { return kjson.NewJsonParseNodeFactory() })
	m.Run()
}

// fixture is a simulator behind a TLS terminator, and a Graph client of Microsoft's that signs in through azidentity.
type fixture struct {
	*testing.T
	sim     *simulator.Server
	adapter *msgraph.GraphRequestAdapterBase

	mu        sync.Mutex
	encodings []string // of the bodies that arrived at the terminator
}

func newFixture(t *testing.T, o simulator.Options) *fixture {
	t.Helper()
	f := &fixture{T: t, sim: simulator.New(o)}
	f.sim.AddTenant(simulator.Tenant{ID: contoso, ClientID: clientID, ClientSecret: secret})
	terminator := f.terminator()
	credential, err := azidentity.NewClientSecretCredential(contoso, clientID, secret,
		&azidentity.ClientSecretCredentialOptions{
			ClientOptions: azcore.ClientOptions{
				Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: terminator.URL},
				Transport: terminator.Client(),
			},
			DisableInstanceDiscovery: true,
		})
	if err != nil {
		t.Fatal(err)
	}
	signIn, err := auth.NewAzureIdentityAuthenticationProviderWithScopesAndValidHosts(credential,
		[]string{"https://graph.microsoft.com/.default"}, []string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	options := msgraph.GraphClientOptions{GraphServiceVersion: "v1.0"}
	client := msgraph.GetDefaultClient(&options)
	client.Transport = khttp.NewCustomTransportWithParentTransport(terminator.Client().Transport,
		msgraph.GetDefaultMiddlewaresWithOptions(&options)...)
	f.adapter, err = msgraph.NewGraphRequestAdapterBaseWithParseNodeFactoryAndSerializationWriterFactoryAndHttpClient(
		signIn, options, nil, nil, client)
	if err != nil {
		t.Fatal(err)
	}
	f.adapter.SetBaseUrl(terminator.URL + "/v1.0")
	return f
}

// terminator ends TLS in front of the simulator and says so in X-Forwarded-Proto.
func (f *fixture) terminator() *httptest.Server {
	inner := httptest.NewServer(f.sim.Handler())
	f.Cleanup(inner.Close)
	target, err := url.Parse(inner.URL)
	if err != nil {
		f.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host
		r.SetXForwarded()
		f.mu.Lock()
		defer f.mu.Unlock()
		if r.In.Method == http.MethodPost && strings.HasPrefix(r.In.URL.Path, "/v1.0/") {
			f.encodings = append(f.encodings, r.In.Header.Get("Content-Encoding"))
		}
	}}
	outer := httptest.NewTLSServer(proxy)
	f.Cleanup(outer.Close)
	return outer
}

// request is a call as the generated clients describe it.
func (f *fixture) request(method abstractions.HttpMethod, target string, body any) *abstractions.RequestInformation {
	f.Helper()
	if !strings.HasPrefix(target, "https:") {
		target = f.adapter.GetBaseUrl() + target
	}
	u, err := url.Parse(target)
	if err != nil {
		f.Fatal(err)
	}
	r := abstractions.NewRequestInformation()
	r.Method = method
	r.SetUri(*u)
	r.Headers.Add("Accept", "application/json")
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			f.Fatal(err)
		}
		r.SetStreamContentAndContentType(raw, "application/json")
	}
	return r
}

// send sends a call and returns its answer.
func (f *fixture) send(r *abstractions.RequestInformation) (answer struct {
	Value []struct {
		ID     string `json:"id"`
		Serial string `json:"serialNumber"`
	} `json:"value"`
	Next string `json:"@odata.nextLink"`
},
) {
	f.Helper()
	raw, err := f.adapter.SendPrimitive(f.Context(), r, "[]byte", nil)
	if err != nil {
		f.Fatal(err)
	}
	if err := json.Unmarshal(raw.([]byte), &answer); err != nil {
		f.Fatal(err)
	}
	return answer
}

// machine is a device as the import takes it, with what the generated models send besides.
func (f *fixture) machine(n uint64) map[string]any {
	f.Helper()
	report := hwhash.Synthetic(n)
	hash, err := hwhash.Encode(report)
	if err != nil {
		f.Fatal(err)
	}
	return map[string]any{
		"@odata.type":  "#microsoft.graph.importedWindowsAutopilotDeviceIdentity",
		"serialNumber": report.Serial.Reveal(), "hardwareIdentifier": hash.Wire(), "groupTag": "KIOSK",
	}
}

func (f *fixture) importMachines(n uint64) {
	f.Helper()
	var devices []map[string]any
	for i := range n {
		devices = append(devices, f.machine(i+1))
	}
	body := map[string]any{"importedWindowsAutopilotDeviceIdentities": devices}
	if got := f.send(f.request(abstractions.POST, imported+"/import", body)); len(got.Value) != int(n) {
		f.Fatalf("%d records of %d devices", len(got.Value), n)
	}
}

// The SDK compresses the body of an import; the device is registered from it.
func TestImport(t *testing.T) {
	t.Parallel()
	f := newFixture(t, simulator.Options{})
	f.importMachines(2)
	if diff := cmp.Diff([]string{"gzip"}, f.encodings); diff != "" {
		t.Errorf("the body did not come compressed, and once: %s", diff)
	}
	state, err := f.sim.State(contoso)
	if err != nil || len(state.Identities) != 2 {
		t.Errorf("%d devices are registered: %v", len(state.Identities), err)
	}
}

// The SDK signs in for https addresses of known hosts only, so a next link leads back through the terminator.
func TestPages(t *testing.T) {
	t.Parallel()
	f := newFixture(t, simulator.Options{Pages: simulator.Pages{Imported: 2}})
	f.importMachines(5)
	ids := map[string]bool{}
	pages := 0
	for link := imported; link != ""; pages++ {
		page := f.send(f.request(abstractions.GET, link, nil))
		for _, row := range page.Value {
			ids[row.ID] = true
		}
		if link = page.Next; link != "" && !strings.HasPrefix(link, f.adapter.GetBaseUrl()) {
			t.Fatalf("the next link is %s", link)
		}
	}
	if len(ids) != 5 || pages != 3 {
		t.Errorf("%d records on %d pages", len(ids), pages)
	}
}

// The SDK's batches write "body": null for requests without one.
func TestBatch(t *testing.T) {
	t.Parallel()
	f := newFixture(t, simulator.Options{})
	batch := msgraph.NewBatchRequest(f.adapter)
	want := map[string]int32{}
	add := func(status int32, r *abstractions.RequestInformation) {
		item, err := batch.AddBatchRequestStep(*r)
		if err != nil {
			t.Fatal(err)
		}
		want[*item.GetId()] = status
	}
	add(200, f.request(abstractions.GET, imported, nil))
	add(201, f.request(abstractions.POST, imported, f.machine(1)))
	add(404, f.request(abstractions.GET, imported+"/"+clientID, nil))
	add(400, f.request(abstractions.GET, imported+"?$select=hash", nil))
	response, err := batch.Send(t.Context(), f.adapter)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, response.GetStatusCodes()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"gzip"}, f.encodings); diff != "" {
		t.Error(diff)
	}
}
