package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path"
	"regexp"
	"strings"
	"sync"

	"taxiway.example/cmd/allinone"
	"taxiway.example/pkg/broker"
)

// tripwire sits at every boundary between two steps of a process and kills it at one of them. A boundary is named by
// what is done and the side: ledger.accept.before is just before the commit of an accept, ledger.accept.after just
// after it.
type tripwire struct {
	order  order
	passed io.Writer

	mu   sync.Mutex
	seen map[string]int
	all  int
}

const (
	before = ".before"
	after  = ".after"
)

// pass is called at each boundary.
func (w *tripwire) pass(boundary string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen[boundary]++
	w.all++
	_, _ = io.WriteString(w.passed, boundary+"\n") // who reads it misses what is missing
	if w.order.Nth > 0 &&
		(boundary == w.order.Kill && w.seen[boundary] == w.order.Nth || w.order.Kill == "" && w.all == w.order.Nth) {
		die()
	}
}

// die kills this process as a power cut would: no deferred call, no flush.
func die() {
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Kill()
	}
	if err != nil {
		panic(err)
	}
	select {}
}

func (w *tripwire) hooks() allinone.Hooks {
	return allinone.Hooks{
		Trace: func(operation, phase string) {
			side := before
			if phase == "committed" {
				side = after
			}
			w.pass("ledger." + operation + side)
		},
		Broker:    func(b broker.Broker) broker.Broker { return wiredBroker{b, w} },
		Transport: func(next http.RoundTripper) http.RoundTripper { return wiredTransport{next, w} },
	}
}

type wiredBroker struct {
	broker.Broker

	wire *tripwire
}

func (b wiredBroker) Publish(ctx context.Context, messages ...broker.Message) error {
	name := "publish"
	if len(messages) > 0 {
		name += "." + messages[0].Type
	}
	b.wire.pass(name + before)
	err := b.Broker.Publish(ctx, messages...)
	if err == nil {
		b.wire.pass(name + after)
	}
	return err
}

// Consume has the boundaries around the handler; the message is acknowledged behind the second one.
func (b wiredBroker) Consume(ctx context.Context, sub broker.Subscription, h broker.Handler) error {
	name := "handle." + sub.Type
	return b.Broker.Consume(ctx, sub, func(ctx context.Context, d broker.Delivery) broker.Outcome {
		b.wire.pass(name + before)
		outcome := h(ctx, d)
		b.wire.pass(name + after)
		return outcome
	})
}

type wiredTransport struct {
	next http.RoundTripper
	wire *tripwire
}

// replicaHeader tells Microsoft's side which process asks.
const replicaHeader = "X-Replica"

func (t wiredTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set(replicaHeader, t.wire.order.Name)
	var body []byte
	if r.Body != nil {
		var err error
		body, err = io.ReadAll(r.Body)
		if err := errors.Join(err, r.Body.Close()); err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	name := "graph." + operation(r, body)
	t.wire.pass(name + before)
	resp, err := t.next.RoundTrip(r)
	if err == nil {
		t.wire.pass(name + after)
	}
	return resp, err
}

var guid = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// operation names what a request to Microsoft is about: its method and the last words of its path; of a $batch those of
// the first request in it.
func operation(r *http.Request, body []byte) string {
	var b struct {
		Requests []struct{ Method, URL string }
	}
	if path.Base(r.URL.Path) == "$batch" && json.Unmarshal(body, &b) == nil && len(b.Requests) > 0 {
		address, _, _ := strings.Cut(b.Requests[0].URL, "?")
		return "batch-" + label(b.Requests[0].Method, address)
	}
	return label(r.Method, r.URL.Path)
}

func label(method, address string) string {
	words := []string{method}
	for word := range strings.SplitSeq(guid.ReplaceAllString(address, ""), "/") {
		if word != "" && word != "v1.0" && word != "v2.0" && word != "beta" && word != "oauth2" &&
			word != "deviceManagement" {
			words = append(words, word)
		}
	}
	return strings.NewReplacer("importedWindowsAutopilotDeviceIdentities", "imported", "windowsAutopilotDeviceIdentities", "identities",
		"microsoft.graph.", "").
		Replace(strings.Join(words, "-"))
}
