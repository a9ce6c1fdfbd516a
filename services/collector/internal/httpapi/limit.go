package httpapi

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"taxiway.example/pkg/fault"
)

// limiter gives each key its own bucket and its own uploads. There are as many as keys are configured, since only known
// keys come here.
type limiter struct {
	rate    rate.Limit
	burst   int
	uploads int

	mu      sync.Mutex
	keys    map[string]*rate.Limiter
	working map[string]int // uploads by key
}

func newLimiter(c Config) *limiter {
	return &limiter{
		rate:  rate.Limit(c.Rate),
		burst: c.Burst, uploads: c.Uploads, keys: map[string]*rate.Limiter{}, working: map[string]int{},
	}
}

// upload lets an upload of the key begin, until done is called, unless as many as there may be are at work.
func (l *limiter) upload(key string) (done func(), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.working[key] >= l.uploads {
		return nil, fault.Newf(fault.RequestRateLimited, "The limit is %d uploads at a time.", l.uploads)
	}
	l.working[key]++
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.working[key]--
	}, nil
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
