package graph

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter is the longest pause an answer can ask for; what is longer is a mistake or a matter for a person.
const maxRetryAfter = time.Hour

// retryAfter reads Retry-After: seconds, which Graph also sends with a fraction (Microsoft page "Microsoft Graph
// throttling guidance"), or a date (RFC 9110, section 10.2.3). It returns zero for anything else.
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if s, err := strconv.ParseFloat(value, 64); err == nil {
		return seconds(s).duration()
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	if sent, err := http.ParseTime(h.Get("Date")); err == nil {
		now = sent // the other side's clock, so that ours may be wrong
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}

// seconds is a JSON number, or text with a number, or anything else, which is zero.
type seconds float64

// UnmarshalJSON reads leniently: a strange value must not hide the error around it.
func (s *seconds) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) != nil {
		text = string(b)
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		f = 0
	}
	*s = seconds(f)
	return nil
}

func (s seconds) duration() time.Duration {
	if !(s > 0) || math.IsInf(float64(s), 0) {
		return 0
	}
	return time.Duration(min(float64(s)*float64(time.Second), float64(maxRetryAfter)))
}
