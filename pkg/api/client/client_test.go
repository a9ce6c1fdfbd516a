package client_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"taxiway.example/pkg/api"
	"taxiway.example/pkg/api/client"
	"taxiway.example/pkg/fault"
)

const key = "taxiway_key_of_the_test"

func serve(t *testing.T, h http.HandlerFunc) *client.Client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	c, err := client.New(s.URL, key)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for address, ok := range map[string]bool{
		"http://127.0.0.1:8080": true, "https://taxiway.contoso.com/api/": true, "127.0.0.1:8080": false,
		"taxiway": false, "ftp://x": false,
		"http://": false, "http://user:secret@x": false, "": false,
	} {
		_, err := client.New(address, key)
		if (err == nil) != ok {
			t.Errorf("%q: %v", address, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%v", err)
		}
	}
	if _, err := client.New("http://x", ""); err == nil {
		t.Error("a client without a key")
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+key {
			t.Errorf("Authorization %q", r.Header.Get("Authorization"))
		}
		w.Header().Set("Content-Type", "application/problem+json")
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(
			w,
			`{"status":503,"code":"ledger.unavailable","title":"T.","detail":"D.",
			"hint":"H. Then: \u0060taxiway trace d-1\u0060. Or: \u0060taxiway dlq list\u0060.","batch":"b-1",
			"errors":[{"line":2,"column":"Hardware Hash","detail":"twice"},{"row":3,"detail":"odd"}]}`,
		)
	})
	_, err := c.Batch(t.Context(), "x")
	p, ok := errors.AsType[*client.Problem](err)
	if !ok {
		t.Fatal(err)
	}
	if p.Code != fault.LedgerUnavailable || p.RetryAfter != 7*time.Second || !p.Temporary() {
		t.Errorf("%+v", p)
	}
	want := "ledger.unavailable: T. D.\n  line 2, Hardware Hash: twice\n  row 3: odd\n" +
		"What to do: H. Then:\n  taxiway trace d-1\nOr:\n  taxiway dlq list\nBatch: b-1"
	if diff := cmp.Diff(want, p.Error()); diff != "" {
		t.Error(diff)
	}
}

// Answers of something between here and the API.
func TestAnswersThatAreNotOurs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		handler   http.HandlerFunc
		temporary bool
		text      string
	}{
		"an error page": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusBadGateway)
		}, true, "502 Bad Gateway"},
		"a problem of somebody else": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"title":"gone"}`)
		}, false, "404 Not Found"},
		"a redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusTemporaryRedirect)
		}, false, "307 Temporary Redirect"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := serve(t, c.handler).Batch(t.Context(), "x")
			p, ok := errors.AsType[*client.Problem](err)
			if !ok || p.Temporary() != c.temporary || !strings.Contains(p.Error(), c.text) {
				t.Errorf("%v", err)
			}
		})
	}
	for name, handler := range map[string]http.HandlerFunc{
		"a page":          func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") },
		"an endless body": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.Copy(w, io.LimitReader(zeros{}, 40<<20)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := serve(t, handler).Batch(t.Context(), "x"); err == nil {
				t.Error("it was taken for a batch")
			}
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestALostAnswerIsUnreachableAndKeepsItsSecrets(t *testing.T) {
	t.Parallel()
	c := serve(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	_, err := c.BySerial(t.Context(), "SERIAL-1")
	if _, ok := errors.AsType[*client.Unreachable](err); !ok || strings.Contains(err.Error(), "SERIAL-1") ||
		strings.Contains(err.Error(), key) {
		t.Errorf("%v", err)
	}
}

func TestAFileThatCannotBeReadIsNotTheServersFault(t *testing.T) {
	t.Parallel()
	c := serve(t, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	disk := errors.New("disk")
	_, err := c.Submit(t.Context(), io.MultiReader(strings.NewReader("rows"), iotest.ErrReader(disk)), client.Upload{})
	if _, ok := errors.AsType[*client.Unreachable](err); ok || !errors.Is(err, disk) {
		t.Errorf("%v", err)
	}
}

func TestSubmitSaysWhatItWasTold(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		got := fmt.Sprint(
			r.Method,
			r.URL,
			r.Header.Get("Idempotency-Key"),
			r.Header.Get("Content-Type"),
			string(body),
			err,
		)
		if want := `POST/v1/batches?groupTag=A+B&name=n.csv"k"text/csvrows<nil>`; got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
		_, _ = io.WriteString(w, `{"id":"b","rows":1}`)
	})
	r, err := c.Submit(
		t.Context(),
		strings.NewReader("rows"),
		client.Upload{Name: "n.csv", GroupTag: "A B", IdempotencyKey: "k"},
	)
	if err != nil || r.ID != "b" || r.Rows != 1 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestListingsGoThroughAllPages(t *testing.T) {
	t.Parallel()
	const rows = 2500
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var after, limit int
		if _, err := fmt.Sscan(r.URL.Query().Get("after")+" "+r.URL.Query().Get("limit"), &after, &limit); err != nil {
			t.Error(err)
		}
		var page struct {
			Rows []api.Row `json:"rows"`
		}
		for n := after + 1; n <= min(after+limit, rows); n++ {
			page.Rows = append(page.Rows, api.Row{Row: n})
		}
		_ = json.NewEncoder(w).Encode(page)
	})
	next := 1
	for row, err := range c.Rows(t.Context(), "b", "") {
		if err != nil || row.Row != next {
			t.Fatalf("row %d instead of %d, %v", row.Row, next, err)
		}
		next++
	}
	if next != rows+1 {
		t.Errorf("%d rows", next-1)
	}
}
