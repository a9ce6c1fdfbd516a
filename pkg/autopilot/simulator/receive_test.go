package simulator

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func zipped(t *testing.T, body []byte) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestCompressedBodies(t *testing.T) {
	o := patient()
	o.MaxBody = 20_000
	r := newFixture(t, o)
	body, err := json.Marshal(importBody(deviceRow(pc("A"), "i")))
	if err != nil {
		t.Fatal(err)
	}
	good := zipped(t, body)
	for _, tc := range []struct {
		name, encoding, body string
		status               int
	}{
		{"gzip", "gzip", good, 200},
		{"gzip in capitals", " GZIP ", good, 200},
		{"as it is", "identity", string(body), 200},
		{"not compressed", "gzip", string(body), 400},
		{"nothing", "gzip", "", 400},
		{"cut", "gzip", good[:len(good)/2], 400},
		{"wrong checksum", "gzip", good[:len(good)-8] + strings.Repeat("x", 8), 400},
		{"larger than it looks", "gzip", zipped(t, make([]byte, 50<<20)), 413},
		{"large before", "gzip", strings.Repeat("x", 20_001), 413},
		{"another encoding", "br", good, 415},
		{"twice", "gzip, gzip", good, 415},
	} {
		a := r.do("POST", importPath, tc.body, "Content-Encoding", tc.encoding)
		if a.status != tc.status {
			t.Errorf("%s: %d %v, want %d", tc.name, a.status, a.body, tc.status)
		}
	}
	if n := len(r.state(contoso).Imported); n != 3 {
		t.Errorf("%d devices are imported, want 3", n)
	}
}

// A next link leads back the way the request came, and so do the addresses of discovery.
func TestForwarded(t *testing.T) {
	r := newFixture(t, patient())
	r.register("f", pc("A"), pc("B"), pc("C"))
	for _, tc := range []struct {
		want    string
		headers []string
	}{
		{"http://sim/", nil},
		{"https://sim/", []string{"X-Forwarded-Proto", "https"}},
		{"https://sim/", []string{"X-Forwarded-Proto", "HTTPS, http"}},
		{"https://graph.example:8443/", []string{"X-Forwarded-Proto", "https", "X-Forwarded-Host", "graph.example:8443"}},
		{"https://graph.example/", []string{"Forwarded", `for="[2001:db8::1]:47011";proto=https;host="graph.example", proto=http`}},
		{"https://sim/", []string{"Forwarded", "Proto=https", "X-Forwarded-Proto", "http"}},
		{"http://sim/", []string{"X-Forwarded-Proto", "ftp", "X-Forwarded-Host", "a.example/b?"}},
		{"http://sim/", []string{"Forwarded", "host=user@a.example;proto="}},
	} {
		page := r.must(http.StatusOK, "GET", identityPath+"?$top=2", nil, tc.headers...)
		if next, _ := page["@odata.nextLink"].(string); !strings.HasPrefix(next, tc.want+"v1.0/") {
			t.Errorf("%v: next link %q, want %s", tc.headers, next, tc.want)
		}
		document := r.must(http.StatusOK, "GET", "/"+contoso+"/v2.0/.well-known/openid-configuration", nil, tc.headers...)
		if document["token_endpoint"] != tc.want+contoso+"/oauth2/v2.0/token" {
			t.Errorf("%v: token endpoint %v", tc.headers, document["token_endpoint"])
		}
	}
}

func TestBatchWithNulls(t *testing.T) {
	r := newFixture(t, patient())
	a := r.do("POST", "/v1.0/$batch", `{"requests":[
		{"id":"1","method":"GET","url":"/devices","headers":null,"body":null,"dependsOn":null},
		{"id":"2","method":"POST","url":"/`+imported+`","headers":{"content-type":"application/json"},"body":null}]}`)
	got := map[string]float64{}
	for _, response := range a.body["responses"].([]any) {
		got[response.(row)["id"].(string)] = response.(row)["status"].(float64)
	}
	if got["1"] != 200 || got["2"] != 400 {
		t.Errorf("%v", got)
	}
}
