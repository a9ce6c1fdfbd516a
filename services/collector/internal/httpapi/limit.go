package httpapi

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"taxiway.example/pkg/fault"
)

// limiter gives each key its own bucket. There are as many as keys are configured, since only known keys come here.
type limiter struct {
	rate  rate.Limit
	burst int

	mu   sync.Mutex
	keys map[string]*rate.Limiter
}

func newLimiter(perSecond float64, burst int) *limiter {
	return &limiter{rate: rate.Limit(perSecond), burst: burst, keys: map[string]*rate.Limiter{}}
}

// take takes a token of the key, or says how long until there is one.
func (l *limiter) take(key string, now time.Time) error {
	if l.rate <= 0 {
		return nil
	}
	l.mu.Lock()
	bucket, ok := l.keys[key]
	if !ok {
		bucket = rate.NewLimiter(l.rate, l.burst)
		l.keys[key] = bucket
	}
	l.mu.Unlock()
	r := bucket.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait <= 0 {
		return nil
	}
	r.CancelAt(now)
	return fault.New(fault.RequestRateLimited, "").After(wait)
}
