package simulator

import (
	"strings"
	"time"

	"taxiway.example/pkg/broker/sbbroker/simulator/internal/amqp"
)

// attachCBS accepts one link pair a connection (internal/cbs.go of azservicebus
// expects amqp:not-allowed for a second one).
func (l *link) attachCBS(a amqp.Attach) *amqp.Error {
	for _, ss := range l.session.conn.sessions {
		for _, other := range ss.links {
			sameEnd := (other.in != nil) == (l.in != nil)
			if other != l && sameEnd && !other.detached && key(other.address) == cbsAddress {
				return failure(condNotAllowed, "There is a $cbs link on this connection already")
			}
		}
	}
	l.attachNode(a, nil, putToken)
	return nil
}

// putToken checks a token and opens its audience to the connection ("AMQP 1.0 in
// Azure Service Bus protocol guide", claims-based authorization).
func putToken(r *request) reply {
	if r.operation != "put-token" {
		return refuse(501, condNotImplemented, "The operation %q is not supported on $cbs", r.operation)
	}
	audience, _ := r.app.Get("name").(string)
	path, ok := audiencePath(audience)
	if !ok {
		return refuse(400, condArgument, "The audience %q is not a URI", audience)
	}
	token, _ := r.body.(string)
	s := r.conn.server
	kind, _ := r.app.Get("type").(string)
	expiry := s.clock.now().Add(time.Hour)
	switch {
	case kind == "jwt" && token != "":
		// A JWT is taken at its word: there is no issuer to ask.
	case kind == "servicebus.windows.net:sastoken":
		t, err := s.checkSAS(token, audience)
		if err != nil {
			return refuse(401, condUnauthorized, "%v", err)
		}
		expiry = t
	default:
		return refuse(401, condUnauthorized, "The token type %q is not supported", kind)
	}
	if !s.exists(path) {
		return refuse(404, condNotFound, "The messaging entity '%s' could not be found", path)
	}
	r.conn.authorized[path] = expiry
	return reply{status: 202, description: "Accepted"}
}

// exists says whether a token can be for path: the namespace, an entity, or the
// $management node of one.
func (s *Server) exists(path string) bool {
	path = strings.TrimSuffix(path, managementSuffix)
	return path == "" || s.entities[path] != nil || strings.HasSuffix(path, key(transferSuffix))
}

// allowed says whether a token of this connection covers the address: its own
// audience or one above it.
func (c *connection) allowed(address string) bool {
	for path := key(address); ; {
		if until, ok := c.authorized[path]; ok && c.server.clock.now().Before(until) {
			return true
		}
		cut := strings.LastIndexByte(path, '/')
		if cut < 0 {
			break
		}
		path = path[:cut]
	}
	until, ok := c.authorized[""]
	return ok && c.server.clock.now().Before(until)
}
