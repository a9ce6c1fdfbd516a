package graph_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"taxiway.example/pkg/graph"
	"taxiway.example/pkg/hwhash"
)

// carrier answers requests without a network.
type carrier func(*http.Request) string

func (c carrier) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{}, Request: r, Body: io.NopCloser(strings.NewReader(c(r))),
	}, nil
}

func over(c carrier) *graph.Client {
	client, err := graph.New(graph.Config{
		Root: "https://graph.example", HTTP: &http.Client{Transport: c},
		Tokens: graph.TokenFunc(func(context.Context) (graph.Token, error) {
			return graph.Token{Value: hwhash.NewSecret("t"), Expires: time.Now().Add(time.Hour)}, nil
		}),
	})
	if err != nil {
		panic(err) // the configuration is a constant
	}
	return client
}

// TestListLaw: however a service cuts a list into pages, and whatever it repeats at their borders, every item comes
// once and in order.
func TestListLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		items := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]{1,4}`), 0, 60, rapid.ID[string]).Draw(t, "items")
		size := rapid.IntRange(1, 20).Draw(t, "size")
		repeat := rapid.IntRange(0, 5).Draw(t, "repeat")
		client := over(func(r *http.Request) string {
			var from int
			_, _ = fmt.Sscan(r.URL.Query().Get("from"), &from)
			page := map[string]any{"value": []item{}}
			if to := min(from+size, len(items)); from < to {
				var value []item
				for _, id := range items[max(0, from-repeat):to] {
					value = append(value, item{id})
				}
				page["value"] = value
				if to < len(items) {
					page["@odata.nextLink"] = fmt.Sprintf("https://graph.example/v1.0/x?from=%d", to)
				}
			}
			body, _ := json.Marshal(page)
			return string(body)
		})
		var got []string
		for i, err := range graph.List(context.Background(), client, get("/x"), func(i item) string { return i.ID }) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, i.ID)
		}
		if !slices.Equal(got, items) {
			t.Errorf("got %v, want %v", got, items)
		}
	})
}

// TestBatchLaw: in whatever order a service answers, each result is that of its request.
func TestBatchLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 70).Draw(t, "requests")
		client := over(func(r *http.Request) string {
			var asked struct {
				Requests []struct{ ID, URL string }
			}
			if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || len(asked.Requests) > graph.MaxBatch {
				t.Fatalf("%d requests in a batch, %v", len(asked.Requests), err)
			}
			var responses []map[string]any
			for _, q := range rapid.Permutation(asked.Requests).Draw(t, "order") {
				responses = append(responses, map[string]any{"id": q.ID, "status": 200, "body": item{q.URL}})
			}
			body, _ := json.Marshal(map[string]any{"responses": responses})
			return string(body)
		})
		var requests []graph.Request
		for i := range n {
			requests = append(requests, get(fmt.Sprintf("/x/%d", i)))
		}
		results := client.Batch(context.Background(), graph.V1, requests)
		if len(results) != n {
			t.Fatalf("%d results for %d requests", len(results), n)
		}
		for i, r := range results {
			var got item
			if err := r.Decode(&got); err != nil || got.ID != requests[i].Path {
				t.Errorf("result %d is that of %q, %v", i, got.ID, err)
			}
		}
	})
}

// ExampleList reads a collection page by page and stops when it has seen enough.
func ExampleList() {
	client := over(func(*http.Request) string {
		return `{"value":[{"id":"a"},{"id":"b"}],"@odata.nextLink":"https://graph.example/v1.0/devices?$skiptoken=b"}`
	})
	devices := graph.Request{Version: graph.V1, Path: "/devices"}
	for device, err := range graph.List(context.Background(), client, devices, func(i item) string { return i.ID }) {
		if err != nil || device.ID == "b" {
			fmt.Println(device.ID, err)
			break
		}
	}
	// Output: b <nil>
}
