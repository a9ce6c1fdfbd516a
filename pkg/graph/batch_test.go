package graph_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/graph"
)

func TestBatchAnswersInOrder(t *testing.T) {
	s := serve(t, ok(`{"responses":[
		{"id":"2","status":404,"body":{"error":{"code":"ResourceNotFound","message":"gone"}}},
		{"id":"1","status":429,"headers":{"retry-after":"4.5"},"body":{"error":{"code":"TooManyRequests","message":"slow"}}},
		{"id":"0","status":200,"body":{"id":"zero"}},
		{"id":"9","status":200,"body":{}},
		{"id":"3","status":204}]}`))
	f := connect(t, s.URL)
	withQuery := get("/a")
	withQuery.Query = map[string][]string{"$select": {"id"}}
	write := post("/d", map[string]string{"groupTag": "X"})
	results := f.Batch(t.Context(), graph.Beta, []graph.Request{withQuery, get("/b"), get("/c"), write, get("/e")})
	for i, want := range []fault.Code{fault.CodeUnknown, fault.GraphThrottled, fault.GraphNotFound, fault.CodeUnknown, fault.GraphUnexpected} {
		wantCode(t, results[i].Err, want)
	}
	var zero item
	if err := results[0].Decode(&zero); err != nil || zero.ID != "zero" {
		t.Errorf("%v %+v", err, zero)
	}
	wantCode(t, results[2].Decode(&zero), fault.GraphNotFound)
	wantCode(t, results[3].Decode(&zero), fault.GraphUnexpected)
	if len(f.gate.shut) != 1 || !f.gate.shut[0].Equal(start.Add(4500*time.Millisecond)) {
		t.Errorf("shut %v: a throttled inner request shuts the gate", f.gate.shut)
	}
	var sent any
	if err := json.Unmarshal([]byte(s.log()[0].body), &sent); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"requests": []any{
		map[string]any{"id": "0", "method": "GET", "url": "/a?$select=id"},
		map[string]any{"id": "1", "method": "GET", "url": "/b"},
		map[string]any{"id": "2", "method": "GET", "url": "/c"},
		map[string]any{
			"id": "3", "method": "POST", "url": "/d", "body": map[string]any{"groupTag": "X"},
			"headers": map[string]any{"Content-Type": "application/json"},
		},
		map[string]any{"id": "4", "method": "GET", "url": "/e"},
	}}
	if diff := cmp.Diff(want, sent); diff != "" || s.log()[0].uri != "/beta/$batch" {
		t.Errorf("%s: %s", s.log()[0].uri, diff)
	}
}

func TestBatchesAreOfTwenty(t *testing.T) {
	s := serve(
		t,
		ok(`{"responses":[{"id":"19","status":200,"body":{"id":"x"}}]}`),
		status(400, `{"error":{"code":"BadRequest"}}`),
		ok(`{"responses":[]}`),
	)
	f := connect(t, s.URL)
	requests := make([]graph.Request, 45)
	for i := range requests {
		requests[i] = get("/x")
	}
	results := f.Batch(t.Context(), graph.V1, requests)
	if len(results) != 45 || len(s.log()) != 3 {
		t.Fatalf("%d results of %d batches", len(results), len(s.log()))
	}
	if diff := cmp.Diff([]string{"read 20", "read 20", "read 5"}, f.gate.taken); diff != "" {
		t.Error(diff)
	}
	if results[19].Err != nil {
		t.Error(results[19].Err)
	}
	wantCode(t, results[20].Err, fault.GraphBadRequest)
	wantCode(t, results[39].Err, fault.GraphBadRequest)
	wantCode(t, results[40].Err, fault.GraphUnexpected)
}

// TestBatchOutcomes: a lost batch of reads is asked again, a lost batch with a write is not.
func TestBatchOutcomes(t *testing.T) {
	s := serve(
		t,
		hangUp,
		ok(`{"responses":[{"id":"0","status":503}]}`),
		hangUp,
		ok(`{"responses":[{"id":"0","status":503}]}`),
		ok(`{"responses":[]}`),
	)
	f := connect(t, s.URL)
	read := []graph.Request{get("/a")}
	write := []graph.Request{post("/a", 1)}
	wantCode(t, f.Batch(t.Context(), graph.V1, read)[0].Err, fault.GraphUnavailable)
	for range 3 {
		wantCode(t, f.Batch(t.Context(), graph.V1, write)[0].Err, fault.GraphUnknownOutcome)
	}
	if len(s.log()) != 5 {
		t.Errorf("%d requests", len(s.log()))
	}
	if got := f.Batch(t.Context(), graph.V1, nil); len(got) != 0 {
		t.Errorf("an empty batch: %v", got)
	}
}

// TestThrottledBatchIsOne429: a batch shuts the gate once, however many of its requests were throttled, and for longer
// when it is throttled again. That Graph took the batch as a whole means nothing.
func TestThrottledBatchIsOne429(t *testing.T) {
	const slow, fine = `{"id":"%d","status":429,"body":{"error":{"code":"TooManyRequests"}}}`, `{"id":"%d","status":200,"body":{}}`
	const named = `{"id":"%d","status":429,"headers":{"Retry-After":"7"},"body":{"error":{"code":"TooManyRequests"}}}`
	for name, tt := range map[string]struct {
		batches []string // a letter is an answer: s = slow, n = slow and names a pause, f = fine
		want    []time.Duration
	}{
		"all throttled, again and again": {[]string{strings.Repeat("s", 20), "ss", "sf"}, []time.Duration{10, 20, 40}},
		"fine in between":                {[]string{"ss", "ff", "ss"}, []time.Duration{10, 10}},
		"the longest pause counts":       {[]string{"nsf", "s"}, []time.Duration{7, 10}},
	} {
		t.Run(name, func(t *testing.T) {
			var answers []http.HandlerFunc
			for _, batch := range tt.batches {
				var parts []string
				for i, kind := range batch {
					parts = append(parts, fmt.Sprintf(map[rune]string{'s': slow, 'n': named, 'f': fine}[kind], i))
				}
				answers = append(answers, ok(`{"responses":[`+strings.Join(parts, ",")+`]}`))
			}
			f := connect(t, serve(t, answers...).URL)
			for _, batch := range tt.batches {
				for i, r := range f.Batch(t.Context(), graph.Beta, slices.Repeat([]graph.Request{get("/x")}, len(batch))) {
					e, failed := errors.AsType[*fault.Error](r.Err)
					if failed == (batch[i] == 'f') {
						t.Fatalf("answer %d of %s: %v", i, batch, r.Err)
					}
					if last := len(f.gate.shut) - 1; failed &&
						(e.Code != fault.GraphThrottled || !start.Add(e.RetryAfter).Equal(f.gate.shut[last])) {
						t.Errorf(
							"answer %d of %s: %v after %s, the gate opens at %s",
							i,
							batch,
							e,
							e.RetryAfter,
							f.gate.shut[last],
						)
					}
				}
			}
			var got []time.Duration
			for _, until := range f.gate.shut {
				got = append(got, until.Sub(start)/time.Second)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestThrottledForItselfWithinABatch: a request that stands apart leaves the gate open there, too.
func TestThrottledForItselfWithinABatch(t *testing.T) {
	s := serve(t, ok(`{"responses":[{"id":"0","status":429},{"id":"1","status":200,"body":{}}]}`))
	f := connect(t, s.URL)
	apart := post("/sync", nil)
	apart.Apart = true
	results := f.Batch(t.Context(), graph.Beta, []graph.Request{apart, get("/x")})
	wantCode(t, results[0].Err, fault.GraphThrottled)
	if len(f.gate.shut) != 0 || results[1].Err != nil {
		t.Errorf("the gate was shut: %v, %v", f.gate.shut, results[1].Err)
	}
}
