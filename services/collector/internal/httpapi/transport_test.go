package httpapi_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/ledger"
	"taxiway.example/services/collector/internal/collect"
	"taxiway.example/services/collector/internal/collectortest"
	"taxiway.example/services/collector/internal/httpapi"
)

// deadlines counts how often the read deadline of a connection moves.
type deadlines struct {
	http.ResponseWriter
	reads int
}

func (d *deadlines) SetReadDeadline(time.Time) error { d.reads++; return nil }

// drip gives a byte at a time.
type drip struct{ left int }

func (d *drip) Read(p []byte) (int, error) {
	if d.left == 0 {
		return 0, io.EOF
	}
	d.left--
	p[0] = 'x'
	return 1, nil
}

// A client that drips keeps the connection only as long as enough arrives each time.
func TestDeadlineMovesWithProgress(t *testing.T) {
	t.Parallel()
	for sent, want := range map[int]int{1: 1, 4095: 1, 4097: 2, 3*4096 + 1: 4} {
		w := &deadlines{ResponseWriter: httptest.NewRecorder()}
		n, err := io.Copy(io.Discard, httpapi.Paced(&drip{left: sent}, w))
		if err != nil || n != int64(sent) || w.reads != want {
			t.Errorf("%d bytes: the deadline moved %d times, want %d; %v", sent, w.reads, want, err)
		}
	}
}

// drain takes rows and looks at the memory now and then.
type drain struct{ each func(row int) }

func (d drain) Take(_ context.Context, delivery collect.Delivery) (collect.Result, error) {
	rows := 0
	for _, err := range delivery.Rows {
		if err != nil {
			return collect.Result{}, err
		}
		rows++
		d.each(rows)
	}
	return collect.Result{
		Batch:    ledger.Batch{ID: "b", State: ledger.Complete},
		Rows:     rows,
		Outcomes: map[device.RowOutcome]int{device.Accepted: rows},
	}, nil
}

// Thirty megabytes go through a connection and never lie in memory.
func TestUploadIsAStream(t *testing.T) {
	const rows = 8_000
	serial, wire := collectortest.Device(t, 1, nil)
	var early, most uint64
	r := newFixture(t, httpapi.Config{}, func(d *httpapi.Deps) {
		d.Taker = drain{each: func(row int) {
			switch {
			case row == 100:
				early = collectortest.Alive()
			case row%1000 == 0:
				most = max(most, collectortest.Alive())
			}
		}}
	})
	server := httptest.NewServer(r)
	defer server.Close()
	body := &collectortest.Repeated{Head: collectortest.Header, Row: serial + ",," + wire + ",,\r\n", Left: rows}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/v1/batches", body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+contosoKey)
	resp, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusAccepted || !strings.Contains(string(answer), `"rows":8000`) {
		t.Fatal(resp.StatusCode, string(answer), err)
	}
	const slack = 2 << 20
	if most > early+slack {
		t.Errorf("%d bytes alive after 100 rows, %d later", early, most)
	}
	t.Logf("%d MB: alive %d KB after 100 rows, at most %d KB later", rows*len(wire)>>20, early>>10, most>>10)
}
