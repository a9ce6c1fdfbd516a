package graph_test

import (
	"strings"
	"testing"

	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/graph"
)

// A page comes as it is, what repeats and the link included; a link to another host is not followed.
func TestReadPage(t *testing.T) {
	p := pages(`{"value":[{"id":"1"},{"id":"1"}],"@odata.nextLink":"HOST/v1.0/devices?p='2'"}`, `{"value":[]}`)
	s := serve(t, p, p)
	c := connect(t, s.URL)
	rows, next, err := graph.ReadPage[item](t.Context(), c.Client, get("/devices"), "")
	if err != nil || len(rows) != 2 || next != s.URL+"/v1.0/devices?p='2'" {
		t.Fatalf("%v %q %v", rows, next, err)
	}
	rows, last, err := graph.ReadPage[item](t.Context(), c.Client, get("/devices"), next)
	if err != nil || len(rows) != 0 || last != "" || !strings.HasSuffix(s.log()[1].uri, "?p='2'") {
		t.Errorf("%v %q %v, asked %s", rows, last, err, s.log()[1].uri)
	}
	_, _, err = graph.ReadPage[item](t.Context(), c.Client, get("/devices"), "https://elsewhere.example/v1.0/devices")
	if !fault.Is(err, fault.GraphUnexpected) || len(s.log()) != 2 {
		t.Errorf("%v, %d requests", err, len(s.log()))
	}
}
