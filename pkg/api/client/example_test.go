package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"taxiway.example/pkg/api"
	"taxiway.example/pkg/api/client"
)

// A device list is sent, its failed rows are read, and a refusal is told from a server that is away. The server here
// answers as a collector does; a test of services/collector/internal/httpapi calls every method against the real one.
func Example() {
	server := httptest.NewServer(http.HandlerFunc(collector))
	defer server.Close()
	if err := send(context.Background(), server.URL); err != nil {
		fmt.Println(err)
	}
	// Output:
	// batch b-1: 2 rows, map[accepted:1 rejected:1]
	// row 2: row.hash_missing
	// device.wrong_state: only a held device can be released
}

func send(ctx context.Context, address string) error {
	c, err := client.New(address, "the-key-of-an-operator")
	if err != nil {
		return err
	}
	list := strings.NewReader("Device Serial Number,Hardware Hash\n…")
	receipt, err := c.Submit(ctx, list, client.Upload{IdempotencyKey: "order-4711"})
	if err != nil {
		return err
	}
	fmt.Printf("batch %s: %d rows, %v\n", receipt.ID, receipt.Rows, receipt.Outcomes)
	for row, err := range c.Rows(ctx, receipt.ID, "failed") {
		if err != nil {
			return err
		}
		fmt.Printf("row %d: %s\n", row.Row, row.Code)
	}
	_, err = c.Release(ctx, "d-1", api.Release{Decision: api.Decision{Reason: "the board was swapped"}})
	if p, refused := errors.AsType[*client.Problem](err); refused {
		fmt.Printf("%s: %s\n", p.Code, p.Detail)
		return nil
	}
	return err
}

func collector(w http.ResponseWriter, r *http.Request) {
	switch r.Method + " " + r.URL.Path {
	case "POST /v1/batches":
		fmt.Fprint(w, `{"id":"b-1","state":"complete","rows":2,"outcomes":{"accepted":1,"rejected":1}}`)
	case "GET /v1/batches/b-1/rows":
		fmt.Fprint(w, `{"rows":[{"row":2,"outcome":"rejected","code":"row.hash_missing"}]}`)
	case "POST /v1/devices/d-1/release":
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusConflict)
		fmt.Fprint(w, `{"status":409,"code":"device.wrong_state","detail":"only a held device can be released"}`)
	}
}
