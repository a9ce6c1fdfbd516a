package httpapi_test

import (
	"context"
	"net/http"
	"sync"
	"testing"

	"taxiway.example/pkg/fault"
	"taxiway.example/services/collector/internal/collect"
	"taxiway.example/services/collector/internal/collectortest"
	"taxiway.example/services/collector/internal/httpapi"
)

// slow says when a delivery has come, and holds it until it is released.
type slow struct {
	httpapi.Taker
	came    chan struct{}
	release chan struct{}
}

func (s slow) Take(ctx context.Context, d collect.Delivery) (collect.Result, error) {
	s.came <- struct{}{}
	<-s.release
	return s.Taker.Take(ctx, d)
}

// As many uploads with one key as there may be do not keep another key from uploading, and leave room when they end.
func TestUploadsAtOnceArePerKey(t *testing.T) {
	t.Parallel()
	held := slow{came: make(chan struct{}, 4), release: make(chan struct{})}
	r := newFixture(t, httpapi.Config{Uploads: 2}, func(d *httpapi.Deps) { held.Taker = d.Taker; d.Taker = held })
	text := collectortest.File(t, 1)
	var running sync.WaitGroup
	for _, key := range []string{contosoKey, contosoKey, fabrikamKey} {
		running.Go(func() {
			if w := r.upload(t, key, text); w.Code != http.StatusAccepted {
				t.Errorf("%s: %d %s", key, w.Code, w.Body)
			}
		})
	}
	for range 3 {
		<-held.came
	}
	w := r.upload(t, contosoKey, text)
	refused(t, w, http.StatusTooManyRequests, fault.RequestRateLimited)
	if w.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	refused(
		t,
		r.upload(t, contosoKey, text, "Content-Type", "text/html"),
		http.StatusUnsupportedMediaType,
		fault.RequestUnsupported,
	)
	close(held.release)
	running.Wait()
	if w := r.upload(t, contosoKey, text); w.Code != http.StatusAccepted {
		t.Errorf("afterwards: %d %s", w.Code, w.Body)
	}
	<-held.came
}
