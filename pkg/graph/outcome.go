package graph

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"taxiway.example/pkg/backoff"
	"taxiway.example/pkg/fault"
)

// refused turns an answer into a fault. A 429 also shuts the gate, for everybody who works for the tenant.
func (c *Client) refused(ctx context.Context, k *call, e *Error) error {
	if k.throttled(e) {
		c.shut(ctx, e)
	}
	return faultOf(k, e)
}

func faultOf(k *call, e *Error) error {
	return fault.Wrap(e, codeOf(k.class, e), e.Summary()).After(e.RetryAfter)
}

// throttled reports whether an answer concerns everybody who works for the tenant.
func (k *call) throttled(e *Error) bool { return e.Status == http.StatusTooManyRequests && !k.apart }

// codeOf says what an answer means for the request.
func codeOf(class Class, e *Error) fault.Code {
	switch {
	case needsApproval(e):
		return fault.GraphApprovalRequired
	case e.Status == http.StatusTooManyRequests:
		return fault.GraphThrottled
	case unstable(e.Status) && class == Write:
		return fault.GraphUnknownOutcome
	case unstable(e.Status):
		return fault.GraphUnavailable
	case e.Status == http.StatusUnauthorized && strings.EqualFold(e.Inner, "Forbidden"):
		return fault.TenantPermissionMissing // Intune's refusal, which Graph has been seen to wrap as a 401
	case e.Status == http.StatusUnauthorized:
		return fault.TenantCredentialsRefused
	case e.Status == http.StatusForbidden:
		return forbidden(e)
	case e.Status == http.StatusNotFound:
		return fault.GraphNotFound
	case slices.Contains([]int{http.StatusConflict, http.StatusPreconditionFailed, http.StatusLocked}, e.Status):
		return fault.GraphConflict
	case e.Status >= 400:
		return fault.GraphBadRequest
	}
	return fault.GraphUnexpected // a redirect, or a status that HTTP does not know
}

// needsApproval recognises Multi Admin Approval, whose refusals have come as 403 and as 400 (Microsoft page "Multi
// Admin Approval with Microsoft Graph").
func needsApproval(e *Error) bool {
	if e.Status != http.StatusForbidden && e.Status != http.StatusBadRequest {
		return false
	}
	return e.ApprovalCode != "" || strings.EqualFold(e.Code, "ApprovalRequired") ||
		strings.Contains(e.Message, "ApprovalRequired") || strings.Contains(e.Message, "x-msft-approval")
}

// forbidden tells a missing permission, which comes under two codes, from a service's own no.
func forbidden(e *Error) fault.Code {
	if slices.Contains([]string{"Forbidden", "Authorization_RequestDenied", "UnknownError", ""}, e.Code) {
		return fault.TenantPermissionMissing
	}
	return fault.GraphForbidden
}

// The pauses after a 429 that does not say for how long.
const (
	firstPause = 10 * time.Second
	maxPause   = 5 * time.Minute
)

// shut closes the gate once for all the 429s of one exchange, for the longest pause that they name, and makes sure that
// each of them names one.
func (c *Client) shut(ctx context.Context, answers ...*Error) {
	pause := slices.MaxFunc(
		answers,
		func(a, b *Error) int { return cmp.Compare(a.RetryAfter, b.RetryAfter) },
	).RetryAfter
	if pause == 0 {
		pause = backoff.Doubled(firstPause, int(c.slowed.Add(1)-1), maxPause)
	}
	for _, e := range answers {
		e.RetryAfter = cmp.Or(e.RetryAfter, pause)
	}
	// The gate must hear of it even when the caller has just been told to stop.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := c.config.Gate.Shut(ctx, c.config.Now().Add(pause)); err != nil {
		c.config.Log.WarnContext(ctx, "the gate of a throttled tenant could not be shut", "error", err)
	}
}

// lost turns a failed exchange into a fault. A write of which anything may have been sent has an unknown outcome.
func lost(ctx context.Context, k *call, err error) error {
	err = plain(err)
	switch {
	case fault.Is(err):
		return err
	case k.class == Write && k.sent.Load():
		return fault.Wrap(err, fault.GraphUnknownOutcome, "no answer after the request was sent")
	case ctx.Err() != nil && fault.IsCancel(ctx.Err()):
		return ctx.Err()
	}
	return fault.Wrap(err, fault.GraphUnavailable, "no answer")
}

// plain takes off the wrapping that prints a request's address.
func plain(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// asFault keeps faults and cancellations as they are and gives anything else the code.
func asFault(err error, code fault.Code, detail string) error {
	if fault.Is(err) || fault.IsCancel(err) {
		return err
	}
	return fault.Wrap(err, code, detail)
}
