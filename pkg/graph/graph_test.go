package graph_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/graph"
	"taxiway.example/pkg/hwhash"
)

// script is a server that answers from a list and keeps what it was asked.
type script struct {
	*httptest.Server

	mu      sync.Mutex
	answers []http.HandlerFunc
	asked   []exchange
}

type exchange struct {
	method, uri, body string
	header            http.Header
}

func serve(t *testing.T, answers ...http.HandlerFunc) *script {
	t.Helper()
	s := &script{answers: answers}
	s.Server = httptest.NewServer(http.HandlerFunc(s.handle))
	t.Cleanup(s.Close)
	return s
}

func (s *script) handle(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.asked = append(s.asked, exchange{r.Method, r.RequestURI, string(body), r.Header.Clone()})
	answer := status(http.StatusTeapot, `{"error":{"code":"script","message":"the script is over"}}`)
	if len(s.answers) > 0 {
		answer = s.answers[0]
		s.answers = s.answers[1:]
	}
	s.mu.Unlock()
	answer(w, r)
}

func (s *script) log() []exchange {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

func status(code int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

func ok(body string) http.HandlerFunc { return status(http.StatusOK, body) }

// hangUp closes the connection without an answer.
func hangUp(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

// breakOff promises more than it sends.
func breakOff(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Length", "1000")
	_, _ = io.WriteString(w, `{"value":[`)
	hangUp(w, r)
}

// tokens counts sign-ins and hands out token-1, token-2, ….
type tokens struct {
	mu   sync.Mutex
	n    int
	life time.Duration
	now  func() time.Time
	err  error
}

func (s *tokens) Token(context.Context) (graph.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	return graph.Token{Value: hwhash.NewSecret(fmt.Sprintf("token-%d", s.n)), Expires: s.now().Add(s.life)}, s.err
}

func (s *tokens) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.n
}

// gate answers waits in turn, then lets everything pass.
type gate struct {
	mu    sync.Mutex
	waits []time.Duration
	taken []string
	shut  []time.Time
	err   error
}

func (g *gate) Take(_ context.Context, c graph.Class, n int) (time.Duration, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.taken = append(g.taken, fmt.Sprintf("%s %d", c, n))
	if len(g.waits) == 0 {
		return 0, g.err
	}
	wait := g.waits[0]
	g.waits = g.waits[1:]
	return wait, g.err
}

func (g *gate) Shut(_ context.Context, until time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = append(g.shut, until)
	return nil
}

// clock moves when told to.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

var start = time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)

type fixture struct {
	*graph.Client
	clock  *clock
	tokens *tokens
	gate   *gate
}

func connect(t *testing.T, root string, change ...func(*graph.Config)) fixture {
	t.Helper()
	f := fixture{clock: &clock{t: start}, gate: &gate{}}
	f.tokens = &tokens{life: time.Hour, now: f.clock.now}
	config := graph.Config{Root: root, Tokens: f.tokens, Gate: f.gate, Pause: time.Nanosecond, Now: f.clock.now}
	for _, c := range change {
		c(&config)
	}
	c, err := graph.New(config)
	if err != nil {
		t.Fatal(err)
	}
	f.Client = c
	return f
}

func get(path string) graph.Request {
	return graph.Request{Method: http.MethodGet, Version: graph.V1, Path: path}
}

func post(path string, body any) graph.Request {
	return graph.Request{Method: http.MethodPost, Version: graph.V1, Path: path, Body: body}
}

func wantCode(t *testing.T, err error, want fault.Code) {
	t.Helper()
	if fault.CodeOf(err) != want {
		t.Errorf("got code %q (%v), want %q", fault.CodeOf(err), err, want)
	}
}

func TestRootMustBeSafe(t *testing.T) {
	for root, good := range map[string]bool{
		"https://graph.microsoft.com": true, "https://graph.microsoft.us/": true, "http://127.0.0.1:8080": true,
		"http://[::1]:1": true, "http://localhost": true, "": true,
		"http://graph.microsoft.com": false, "http://10.0.0.1": false, "https://x/v1.0": false, "ftp://127.0.0.1": false,
		"graph.microsoft.com": false, "https://": false, "https://x?y=z": false, "://": false,
	} {
		_, err := graph.New(graph.Config{Root: root, Tokens: &tokens{}})
		if (err == nil) != good {
			t.Errorf("root %q: %v", root, err)
		}
	}
	if _, err := graph.New(graph.Config{}); err == nil {
		t.Error("a client without a token source")
	}
}
