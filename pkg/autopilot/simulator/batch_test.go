package simulator

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func (r *fixture) batch(items ...row) (statuses map[string]int, order []string) {
	r.Helper()
	statuses = map[string]int{}
	for _, raw := range r.must(200, "POST", "/v1.0/$batch", row{"requests": items})["responses"].([]any) {
		response := raw.(row)
		statuses[response["id"].(string)] = int(response["status"].(float64))
		order = append(order, response["id"].(string))
	}
	return statuses, order
}

func TestBatch(t *testing.T) {
	r := newFixture(t, limited(Limits{AppWrites: 2}))
	post := func(id, serial string) row {
		return row{
			"id": id, "method": "POST", "url": "/" + imported, "headers": row{"content-type": "application/json"},
			"body": deviceRow(pc(serial), "b"),
		}
	}
	after := post("5", "E")
	after["dependsOn"] = []string{"3"}
	bare := post("6", "F")
	delete(bare, "headers")
	got, _ := r.batch(
		post("1", "A"),
		post("2", "B"),
		post("3", "C"),
		row{"id": "4", "method": "get", "url": importedPath[6:]},
		after,
		bare,
		row{
			"id":     "7",
			"method": "GET",
			"url":    "/nowhere",
		},
		row{
			"id":      "8",
			"method":  "POST",
			"url":     "/$batch",
			"body":    row{},
			"headers": row{"Content-Type": "application/json"},
		},
	)
	want := map[string]int{"1": 201, "2": 201, "3": 429, "4": 200, "5": 424, "6": 400, "7": 404, "8": 400}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if n := len(r.state(contoso).Imported); n != 2 {
		t.Errorf("%d records", n)
	}
	for _, req := range r.s.Log("imported.create") {
		if !req.Batched {
			t.Errorf("%+v", req)
		}
	}
}

func TestBatchIsShuffled(t *testing.T) {
	r := newFixture(t, patient())
	var items []row
	var sent []string
	for i := range 20 {
		items = append(items, row{"id": fmt.Sprint(i), "method": "GET", "url": importedPath[6:]})
		sent = append(sent, fmt.Sprint(i))
	}
	statuses, order := r.batch(items...)
	if len(statuses) != 20 || cmp.Equal(sent, order) {
		t.Errorf("%v %v", statuses, order)
	}
}

func TestBatchRefusals(t *testing.T) {
	r := newFixture(t, patient())
	get := func(id string) row { return row{"id": id, "method": "GET", "url": "/devices"} }
	many := make([]row, 21)
	for i := range many {
		many[i] = get(fmt.Sprint(i))
	}
	for name, items := range map[string][]row{
		"none": {}, "too many": many, "same id": {get("a"), get("A")}, "no id": {get("")}, "absolute": {{"id": "1", "method": "GET", "url": "https://x/y"}},
		"no method": {{"id": "1", "url": "/x"}}, "unknown dependency": {{"id": "1", "method": "GET", "url": "/x", "dependsOn": []string{"2"}}},
	} {
		if a := r.do("POST", "/v1.0/$batch", row{"requests": items}); a.status != 400 {
			t.Errorf("%s: %d", name, a.status)
		}
	}
}

func TestBrokenConnectionInsideABatch(t *testing.T) {
	r := newFixture(t, patient())
	r.fault(Fault{Operation: "devices.list", Effect: ResetAfter})
	if a := r.do("POST", "/v1.0/$batch", row{"requests": []row{{"id": "1", "method": "GET", "url": "/devices"}}}); a.err == nil {
		t.Errorf("answered: %+v", a)
	}
}

// A request inside breaks the connection, and the answer around it was to be spoilt as well.
func TestAConnectionBreaksOnce(t *testing.T) {
	for _, effect := range []Effect{ResetAfter, Truncate, Garbage, ReplyAfter} {
		t.Run(string(effect), func(t *testing.T) {
			r := newFixture(t, patient())
			r.fault(Fault{Operation: "batch", Effect: effect, Status: http.StatusInternalServerError})
			r.fault(Fault{Operation: "devices.list", Effect: ResetAfter})
			body := `{"requests":[{"id":"1","method":"GET","url":"/devices"}]}`
			req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1.0/$batch", strings.NewReader(body))
			req.Header.Set("Authorization", "Bearer "+r.token)
			req.Header.Set("Content-Type", "application/json")
			defer func() {
				if got, ok := recover().(error); !ok || !errors.Is(got, http.ErrAbortHandler) {
					t.Errorf("the handler ended with %v", got)
				}
			}()
			r.s.Handler().ServeHTTP(httptest.NewRecorder(), req)
			t.Error("answered")
		})
	}
}
