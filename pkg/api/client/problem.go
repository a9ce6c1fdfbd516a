package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"taxiway.example/pkg/api"
	"taxiway.example/pkg/fault"
)

// Problem is the error of a call that the API refused. An answer that is not the API's, as of a proxy, has the code
// fault.CodeUnknown.
type Problem struct {
	api.Problem
	RetryAfter time.Duration `json:"-"` // 0 when the API says nothing
}

// commandOf is a command in a hint, with what follows it in the sentence.
var commandOf = regexp.MustCompile(" `(taxiway [^`]+)`\\.? ?")

// Error says what is wrong, where, and what to do about it; each command on a line of its own.
func (p *Problem) Error() string {
	var b strings.Builder
	b.WriteString(string(p.Code) + ": " + p.Title)
	if p.Detail != "" {
		b.WriteString(" " + p.Detail)
	}
	for _, e := range p.Errors {
		if place := placeOf(e); place != "" {
			fmt.Fprintf(&b, "\n  %s: %s", place, e.Detail)
		}
	}
	if p.Hint != "" {
		b.WriteString("\nWhat to do: " + strings.TrimSpace(commandOf.ReplaceAllString(p.Hint, "\n  $1\n")))
	}
	if p.Batch != "" {
		b.WriteString("\nBatch: " + p.Batch)
	}
	return b.String()
}

func placeOf(e api.CellError) string {
	var parts []string
	if e.Line > 0 {
		parts = append(parts, "line "+strconv.Itoa(e.Line))
	}
	if e.Row > 0 {
		parts = append(parts, "row "+strconv.Itoa(e.Row))
	}
	if e.Column != "" {
		parts = append(parts, e.Column)
	}
	return strings.Join(parts, ", ")
}

// Temporary reports whether the same request may work a little later.
func (p *Problem) Temporary() bool {
	return p.Status >= http.StatusInternalServerError || p.Status == http.StatusTooManyRequests ||
		p.Code == fault.RequestInProgress
}

// Patience says whether what failed with err may work by itself a little later, and how long to wait: as long as the
// API asks for, and at least pause.
func Patience(err error, pause time.Duration) (time.Duration, bool) {
	if p, ok := errors.AsType[*Problem](err); ok {
		return max(pause, p.RetryAfter), p.Temporary()
	}
	_, ok := errors.AsType[*Unreachable](err)
	return pause, ok
}

// problemOf reads a refusal. What is no problem document came from something between here and the API.
func problemOf(resp *http.Response, body []byte) error {
	p := &Problem{api.Problem{Status: resp.StatusCode}, retryAfter(resp)}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "application/problem+json") &&
		json.Unmarshal(body, p) == nil &&
		p.Code != "" {
		p.Status = resp.StatusCode
		return p
	}
	p.Code = fault.CodeUnknown
	p.Title = fmt.Sprintf("The server answered %s, and not in the way Taxiway does.", resp.Status)
	p.Hint = "Check the address of the server, and proxies on the way to it."
	return p
}

func retryAfter(resp *http.Response) time.Duration {
	seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(min(seconds, 3600)) * time.Second
}
