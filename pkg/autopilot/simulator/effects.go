package simulator

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// faultBefore chooses the fault of a request and carries it out if it comes
// before the effect.
func (s *Server) faultBefore(c *call) *reply {
	for _, f := range s.faults {
		if f.Effect == Import || !f.fits(c) || !f.wants() {
			continue
		}
		c.fault = &f.Fault
		c.entry.Fault = f.title()
		break
	}
	if c.fault == nil {
		return nil
	}
	switch c.fault.Effect {
	case Reply:
		return s.faultReply(c, *c.fault)
	case ResetBefore:
		return &reply{end: dropped}
	case Hang:
		return &reply{end: hung}
	case Page:
		return gatewayPage(c.fault.Status)
	}
	return nil
}

func (s *Server) faultAfter(c *call, rep *reply) *reply {
	if c.fault == nil || rep.end != sent { // a connection breaks once
		return rep
	}
	switch c.fault.Effect {
	case ReplyAfter:
		return s.faultReply(c, *c.fault)
	case ResetAfter:
		return &reply{end: dropped}
	case Truncate:
		rep.end = cut
	case Garbage:
		rep.render(c.now, "", "")
		rep.body = rep.body[:len(rep.body)/2]
	}
	return rep
}

// faultReply is an error answer in the shape that its status usually has. A 401
// makes the token invalid as well: whoever keeps using it keeps being refused.
func (s *Server) faultReply(c *call, f Fault) *reply {
	if c.entry.Operation == "token" {
		return s.refuse(
			c,
			oauthError{
				f.Status,
				cmp.Or(f.Code, "temporarily_unavailable"),
				90033,
				cmp.Or(f.Message, "A transient error has occurred."),
			},
		)
	}
	rep := errorFor(f.Status, f.Code, f.Message)
	if f.Status == http.StatusUnauthorized {
		delete(s.tokens, c.token)
	}
	if rep.header == nil {
		rep.header = http.Header{}
	}
	if wait, isDate := strings.CutPrefix(f.RetryAfter, "date:"); isDate {
		d, _ := time.ParseDuration(wait)
		rep.header.Set("Retry-After", c.now.Add(s.opt.ClockSkew+d).UTC().Format(http.TimeFormat))
	} else if f.RetryAfter != "" {
		rep.header.Set("Retry-After", f.RetryAfter)
	}
	return rep
}

func errorFor(status int, code, message string) *reply {
	switch status {
	case http.StatusUnauthorized:
		return unauthorized(cmp.Or(message, "Lifetime validation failed, the token is expired."))
	case http.StatusForbidden:
		return failIntune(
			status,
			cmp.Or(code, "Forbidden"),
			cmp.Or(message, "Application is not authorized to perform this operation."),
		)
	case http.StatusTooManyRequests:
		return throttled("")
	case http.StatusInternalServerError:
		return failIntune(status, cmp.Or(code, "InternalServerError"), cmp.Or(message, "An error has occurred"))
	case http.StatusServiceUnavailable:
		return fail(
			status,
			cmp.Or(code, "ServiceUnavailable"),
			cmp.Or(message, "The service is temporarily unavailable."),
		)
	}
	return fail(
		status,
		cmp.Or(code, strings.ReplaceAll(http.StatusText(status), " ", "")),
		cmp.Or(message, http.StatusText(status)),
	)
}

func gatewayPage(status int) *reply {
	return &reply{
		status: status, header: http.Header{"Content-Type": {"text/html"}},
		body: fmt.Appendf(nil, "<html><head><title>%d %s</title></head></html>", status, http.StatusText(status)),
	}
}

// outcomeFault chooses the fault that decides the import of one device.
func (s *Server) outcomeFault(c *call, r *importedRecord) *Fault {
	for _, f := range s.faults {
		fits := f.Effect == Import &&
			(f.Tenant == "" || strings.EqualFold(f.Tenant, c.tenant.id)) &&
			(f.Serial == "" || strings.EqualFold(f.Serial, r.Serial)) &&
			(f.ImportID == "" || strings.EqualFold(f.ImportID, r.ImportID))
		if fits && f.wants() {
			return &f.Fault
		}
	}
	return nil
}
