package simulator

import (
	"strconv"
	"strings"
	"time"
)

// bucket leaks at its limit per window; what does not fit is refused but still
// counts, as documented.
type bucket struct {
	level float64
	at    time.Time
}

// overflow is how far above the limit refused requests can push a bucket.
const overflow = 1.25

// take adds cost and returns how long to wait if it did not fit.
func (b *bucket) take(now time.Time, cost, limit float64, window time.Duration) time.Duration {
	rate := limit / window.Seconds()
	b.level = max(0, b.level-now.Sub(b.at).Seconds()*rate)
	b.at = now
	if b.level+cost <= limit {
		b.level += cost
		return 0
	}
	b.level = min(b.level+cost, limit*overflow)
	return time.Duration((b.level + cost - limit) / rate * float64(time.Second))
}

// charge is one bucket that a request has to fit into.
type charge struct {
	scope, key string
	cost       float64
	limit      int
	window     time.Duration
}

// throttle lets a request through or answers 429.
func (s *Server) throttle(c *call) *reply {
	if c.route.free {
		return nil
	}
	var wait time.Duration
	scope := ""
	for _, ch := range s.charges(c) {
		if ch.limit <= 0 {
			continue
		}
		key := ch.scope + "|" + ch.key
		b := s.buckets[key]
		if b == nil {
			b = &bucket{at: c.now}
			s.buckets[key] = b
		}
		if w := b.take(c.now, ch.cost, float64(ch.limit), ch.window); w > wait {
			wait = w
			scope = ch.scope
		}
	}
	if wait == 0 {
		return nil
	}
	rep := throttled(s.retryAfter(wait))
	if c.directory() {
		rep.header.Set("x-ms-throttle-scope", "Tenant_Application/ReadWrite/"+c.app+"/"+c.tenant.id)
		rep.header.Set("x-ms-throttle-information", scope)
	}
	return rep
}

func (s *Server) charges(c *call) []charge {
	l := s.opt.Limits
	tenantKey := c.tenant.id
	appKey := c.app + "|" + c.tenant.id
	out := []charge{{"global", c.app, 1, l.GlobalRequests, time.Second}}
	if c.directory() {
		out = append(out, charge{"ResourceUnitLimitExceeded", tenantKey, c.units(), l.DirectoryUnits, 10 * time.Second})
		if c.write() {
			out = append(out, charge{"WriteLimitExceeded", appKey, 1, l.DirectoryWrites, 150 * time.Second})
		}
		return out
	}
	out = append(out,
		charge{"app", appKey, 1, l.AppRequests, l.Window},
		charge{"tenant", tenantKey, 1, l.TenantRequests, l.Window})
	if c.write() {
		out = append(out,
			charge{"app-writes", appKey, 1, l.AppWrites, l.Window},
			charge{"tenant-writes", tenantKey, 1, l.TenantWrites, l.Window})
	}
	return out
}

// units is what Entra charges for a request.
func (c *call) units() float64 {
	units := 1.0
	if c.route.op == "groups.members" {
		units = 3
	}
	if c.get("$select") != "" {
		units--
	}
	if n, err := strconv.Atoi(c.get("$top")); err == nil && n < 20 {
		units--
	}
	if c.get("$expand") != "" {
		units++
	}
	return max(units, 1)
}

// retryAfter writes a wait as the service does: seconds, often with a fraction.
func (s *Server) retryAfter(wait time.Duration) string {
	if s.opt.Quirks.NoRetryAfter {
		return ""
	}
	seconds := max(wait, time.Millisecond).Round(time.Millisecond).Seconds()
	return strings.TrimSuffix(strconv.FormatFloat(seconds, 'f', 3, 64), ".000")
}
