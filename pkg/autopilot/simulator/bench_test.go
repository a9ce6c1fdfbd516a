package simulator

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// BenchmarkImport500 is one import call of 500 devices and its outcomes, over
// a real connection.
func BenchmarkImport500(b *testing.B) {
	o := Fast()
	o.Delays = Delays{}
	o.Limits = Limits{}
	s := New(o)
	s.AddTenant(Tenant{ID: contoso, ClientID: clientID, ClientSecret: secret})
	server := httptest.NewServer(s.Handler())
	defer server.Close()
	token := s.tokenFor(contoso, clientID)
	body := make([]string, 500)
	for i := range body {
		body[i] = fmt.Sprintf(
			`{"serialNumber":"B%03d","importId":"b","hardwareIdentifier":"%s"}`,
			i,
			makeHash(pc(fmt.Sprintf("B%03d", i))),
		)
	}
	payload := `{"importedWindowsAutopilotDeviceIdentities":[` + strings.Join(body, ",") + `]}`
	b.SetBytes(int64(len(payload)))
	for b.Loop() {
		req, err := http.NewRequestWithContext(b.Context(), "POST", server.URL+importPath, strings.NewReader(payload))
		if err != nil {
			b.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Content-Type", "application/json")
		resp, err := server.Client().Do(req)
		if err != nil || resp.StatusCode != 200 {
			b.Fatal(resp, err)
		}
		resp.Body.Close()
		s.Advance(0)
	}
}

// BenchmarkFindBySerial is one contains(serialNumber,…) among 10 000 devices.
func BenchmarkFindBySerial(b *testing.B) {
	s := New(Options{})
	s.AddTenant(Tenant{ID: contoso, ClientID: clientID, ClientSecret: secret})
	for i := range 10_000 {
		if _, err := s.SeedRegistered(contoso, Registered{Hardware: Hardware{Serial: fmt.Sprintf("SER-%05d", i)}}); err != nil {
			b.Fatal(err)
		}
	}
	req, err := http.NewRequestWithContext(
		b.Context(),
		"GET",
		"http://sim"+identityPath+"?$filter=contains(serialNumber,'SER-07777')",
		nil,
	)
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.tokenFor(contoso, clientID))
	for b.Loop() {
		if resp, err := s.Transport().RoundTrip(req); err != nil || resp.StatusCode != 200 {
			b.Fatal(resp, err)
		}
	}
}
