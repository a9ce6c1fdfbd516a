package graph_test

import (
	"fmt"
	"net/http"
	"net/url"
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
		"another host":       pages(`{"value":[{"id":"1"}],"@odata.nextLink":"https://evil.example/v1.0/devices"}`),
		"another scheme":     pages(`{"value":[{"id":"1"}],"@odata.nextLink":"ftp://x/"}`),
		"a relative link":    pages(`{"value":[{"id":"1"}],"@odata.nextLink":"/v1.0/devices?p=2"}`),
		"a user in the link": pages(`{"value":[{"id":"1"}],"@odata.nextLink":"http://u@x/"}`),
		"no items member":    pages(`{"@odata.context":"x"}`),
		"items null":         pages(`{"value":null}`),
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

// numbered is a page of items with the given numbers.
func numbered(from, to int, next string) string {
	var all []string
	for i := from; i <= to; i++ {
		all = append(all, fmt.Sprintf(`{"id":"%d"}`, i))
	}
	link := ""
	if next != "" {
		link = `,"@odata.nextLink":"HOST/v1.0/devices?` + next + `"`
	}
	return `{"value":[` + strings.Join(all, ",") + `]` + link + `}`
}

// The cursor is a serial number and inclusive: at the end a link may repeat for ever.
func TestRepeatedLink(t *testing.T) {
	for name, tt := range map[string]struct {
		top   string
		pages []string
		items int
		want  fault.Code
	}{
		"an unfilled page is the end":          {"5", []string{numbered(1, 5, "p=5"), numbered(5, 7, "p=7"), numbered(7, 7, "p=7")}, 7, ""},
		"a full page is none":                  {"5", []string{numbered(1, 5, "p=5"), numbered(1, 5, "p=5")}, 5, fault.GraphListStuck},
		"full, as the service makes its pages": {"1000", []string{numbered(1, 5, "p=5"), numbered(1, 5, "p=5")}, 5, fault.GraphListStuck},
		"unfilled, as the service makes them":  {"1000", []string{numbered(1, 5, "p=5"), numbered(3, 6, "p=5")}, 6, ""},
		"one device":                           {"1000", []string{numbered(1, 1, "p=1"), numbered(1, 1, "p=1")}, 1, ""},
		"two devices, pages of one":            {"1", []string{numbered(1, 1, "p=1"), numbered(1, 1, "p=1")}, 1, fault.GraphListStuck},
		"a list without $top":                  {"", []string{numbered(1, 3, "p=1"), numbered(3, 3, "p=1")}, 3, fault.GraphListStuck},
		"back to the start":                    {"5", []string{numbered(1, 5, "p=5"), numbered(5, 9, "p=1"), numbered(1, 5, "p=5")}, 9, fault.GraphListStuck},
	} {
		t.Run(name, func(t *testing.T) {
			p := pages(tt.pages...)
			s := serve(t, p, p, p, p, p)
			r := get("/devices")
			if tt.top != "" {
				r.Query = url.Values{"$top": {tt.top}}
			}
			got, err := collect(t, connect(t, s.URL), r)
			if len(got) != tt.items || fault.Is(err) != (tt.want != "") {
				t.Errorf("%d items, %v", len(got), err)
			}
			if tt.want != "" {
				wantCode(t, err, tt.want)
			}
		})
	}
}

// Empty pages may come in between; pages that bring nothing new for ever are not followed for ever.
func TestPagesWithoutAnythingNew(t *testing.T) {
	for name, tt := range map[string]struct {
		empty int
		want  fault.Code
	}{"some": {10, ""}, "no end": {1000, fault.GraphListStuck}} {
		t.Run(name, func(t *testing.T) {
			n := 0
			p := func(w http.ResponseWriter, r *http.Request) {
				n++
				next := fmt.Sprint("p=", n)
				if n > tt.empty {
					next = ""
				}
				fmt.Fprint(w, strings.ReplaceAll(numbered(1, 2, next), "HOST", "http://"+r.Host))
			}
			s := serve(t, slices.Repeat([]http.HandlerFunc{p}, 40)...)
			got, err := collect(t, connect(t, s.URL), get("/devices"))
			if len(got) != 2 || fault.Is(err) != (tt.want != "") {
				t.Errorf("%d items, %v", len(got), err)
			}
			if tt.want != "" {
				wantCode(t, err, tt.want)
			}
			if calls := len(s.log()); calls > 25 {
				t.Errorf("%d calls", calls)
			}
		})
	}
}
