package graph_test

import (
	"errors"
	"testing"
	"time"

	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/graph"
)

func TestGateIsAskedWithClassAndCost(t *testing.T) {
	s := serve(t, ok(`{}`), ok(`{}`), ok(`{"responses":[]}`), ok(`{"responses":[]}`))
	f := connect(t, s.URL)
	_ = f.Do(t.Context(), get("/x"), nil)
	_ = f.Do(t.Context(), post("/x", nil), nil)
	f.Batch(t.Context(), graph.V1, []graph.Request{get("/a"), get("/b")})
	f.Batch(t.Context(), graph.V1, []graph.Request{get("/a"), post("/b", 1), post("/c", 2)})
	want := []string{"read 1", "write 1", "read 2", "write 3"}
	for i, w := range want {
		if i >= len(f.gate.taken) || f.gate.taken[i] != w {
			t.Fatalf("taken %v, want %v", f.gate.taken, want)
		}
	}
}

func TestShortWaitsAreWaitedLongOnesAreGivenBack(t *testing.T) {
	s := serve(t, ok(`{}`))
	f := connect(t, s.URL)
	f.gate.waits = []time.Duration{time.Millisecond, time.Millisecond}
	if err := f.Do(t.Context(), get("/x"), nil); err != nil {
		t.Errorf("short waits: %v", err)
	}
	f.gate.waits = []time.Duration{7 * time.Second}
	err := f.Do(t.Context(), post("/x", nil), nil)
	wantCode(t, err, fault.GraphThrottled)
	if e, ok := errors.AsType[*fault.Error](err); !ok || e.Kind != fault.Throttled || e.RetryAfter != 7*time.Second {
		t.Errorf("fault %+v", e)
	}
	// Patience is for the whole wait, not for each answer of the gate.
	f.gate.waits = []time.Duration{time.Millisecond, time.Millisecond, time.Second}
	wantCode(t, f.Do(t.Context(), get("/x"), nil), fault.GraphThrottled)
	if len(s.log()) != 1 {
		t.Errorf("%d requests: a throttled call must send nothing", len(s.log()))
	}
}

func TestBrokenGateIsNotOpen(t *testing.T) {
	s := serve(t)
	f := connect(t, s.URL)
	f.gate.err = fault.New(fault.LedgerUnavailable, "down")
	wantCode(t, f.Do(t.Context(), get("/x"), nil), fault.LedgerUnavailable)
	f.gate.err = errors.New("down")
	wantCode(t, f.Do(t.Context(), get("/x"), nil), fault.GraphUnavailable)
	if len(s.log()) != 0 {
		t.Error("sent past a broken gate")
	}
}

func TestThrottlingShutsTheGate(t *testing.T) {
	body := `{"error":{"code":"TooManyRequests","message":"Please retry again later.","innerError":{"code":"429","status":"429"}}}`
	s := serve(t,
		status(429, body, "Retry-After", "2.128"), status(429, body), status(429, body), ok(`{}`), status(429, body),
		status(429, body, "Retry-After", "Tue, 01 Sep 2026 12:00:40 GMT", "Date", "Tue, 01 Sep 2026 12:00:10 GMT"),
		status(429, body, "Retry-After", "600"))
	f := connect(t, s.URL)
	for i, want := range []time.Duration{2128 * time.Millisecond, 10 * time.Second, 20 * time.Second, 0, 10 * time.Second, 30 * time.Second} {
		err := f.Do(t.Context(), get("/x"), nil)
		if want == 0 {
			if err != nil {
				t.Fatal(err)
			}
			continue
		}
		e, ok := errors.AsType[*fault.Error](err)
		if !ok || e.Code != fault.GraphThrottled || e.RetryAfter != want {
			t.Errorf("answer %d: %+v, want to wait %s", i, e, want)
		}
		if last := f.gate.shut[len(f.gate.shut)-1]; !last.Equal(start.Add(want)) {
			t.Errorf("answer %d shut the gate until %s", i, last)
		}
	}
	shut := len(f.gate.shut)
	apart := post("/deviceManagement/windowsAutopilotSettings/sync", nil)
	apart.Apart = true
	wantCode(t, f.Do(t.Context(), apart, nil), fault.GraphThrottled)
	if len(f.gate.shut) != shut {
		t.Error("a call throttled for itself shut the gate")
	}
}
