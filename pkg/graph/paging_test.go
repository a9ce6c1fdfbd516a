package graph_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/graph"
)

type item struct{ ID string }

func collect(t *testing.T, f fixture, r graph.Request) (ids []string, err error) {
	t.Helper()
	for i, e := range graph.List(t.Context(), f.Client, r, func(i item) string { return i.ID }) {
		if e != nil {
			return ids, e
		}
		ids = append(ids, i.ID)
	}
	return ids, nil
}

// pages answers with pages whose next links lead to this server.
func pages(bodies ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body := bodies[0]
		if len(bodies) > 1 {
			bodies = bodies[1:]
		}
		fmt.Fprint(w, strings.ReplaceAll(body, "HOST", "http://"+r.Host))
	}
}

func TestListFollowsItsLinksAsTheyAre(t *testing.T) {
	next := `HOST/v1.0/devices?$skiptoken=LastSerialNumber='A%2FB 1'&x=%24y`
	p := pages(`{"value":[{"id":"1"},{"id":"2"}],"@odata.nextLink":"`+next+`"}`, `{"value":[{"id":"2"},{"id":"3"}]}`)
	s := serve(t, p, p)
	r := get("/devices")
	r.Header = http.Header{"ConsistencyLevel": {"eventual"}}
	got, err := collect(t, connect(t, s.URL), r)
	if err != nil || !slices.Equal(got, []string{"1", "2", "3"}) {
		t.Errorf("got %v, %v: an item repeated at the border counts once", got, err)
	}
	second := s.log()[1]
	if want := `/v1.0/devices?$skiptoken=LastSerialNumber='A%2FB%201'&x=%24y`; second.uri != want {
		t.Errorf("followed %s", second.uri)
	}
	if second.header.Get("ConsistencyLevel") != "eventual" {
		t.Error("the header was not sent again")
	}
}

func TestListNeverTakesAPartForTheWhole(t *testing.T) {
	tests := map[string]http.HandlerFunc{
		"a link to itself":    pages(`{"value":[{"id":"1"}],"@odata.nextLink":"HOST/v1.0/devices?p=1"}`),
		"a link to the start": pages(`{"value":[{"id":"1"}],"@odata.nextLink":"HOST/v1.0/devices"}`),
		"another host":        pages(`{"value":[{"id":"1"}],"@odata.nextLink":"https://evil.example/v1.0/devices"}`),
		"another scheme":      pages(`{"value":[{"id":"1"}],"@odata.nextLink":"ftp://x/"}`),
		"a relative link":     pages(`{"value":[{"id":"1"}],"@odata.nextLink":"/v1.0/devices?p=2"}`),
		"a user in the link":  pages(`{"value":[{"id":"1"}],"@odata.nextLink":"http://u@x/"}`),
		"no items member":     pages(`{"@odata.context":"x"}`),
		"items null":          pages(`{"value":null}`),
	}
	for name, p := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := collect(t, connect(t, serve(t, p, p, p, p).URL), get("/devices"))
			wantCode(t, err, fault.GraphUnexpected)
		})
	}
	t.Run("throttled half way", func(t *testing.T) {
		p := pages(`{"value":[{"id":"1"}],"@odata.nextLink":"HOST/v1.0/devices?p=2"}`)
		_, err := collect(t, connect(t, serve(t, p, status(429, "")).URL), get("/devices"))
		wantCode(t, err, fault.GraphThrottled)
	})
}

func TestListStopsWhenTheCallerHasEnough(t *testing.T) {
	p := pages(`{"value":[{"id":"1"},{"id":"2"}],"@odata.nextLink":"HOST/v1.0/devices?p=2"}`)
	s := serve(t, p, p)
	for range graph.List(t.Context(), connect(t, s.URL).Client, get("/devices"), func(i item) string { return i.ID }) {
		break
	}
	if len(s.log()) != 1 {
		t.Errorf("%d requests", len(s.log()))
	}
}

func TestEmptyListIsNoError(t *testing.T) {
	if got, err := collect(t, connect(t, serve(t, ok(`{"value":[]}`)).URL), get("/devices")); err != nil ||
		len(got) != 0 {
		t.Errorf("%v %v", got, err)
	}
}
