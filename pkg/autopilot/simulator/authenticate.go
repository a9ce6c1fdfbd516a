package simulator

import (
	"net/http"
	"strings"
)

// authenticate finds the tenant and the app behind the bearer token.
func (s *Server) authenticate(c *call) *reply {
	token, isBearer := strings.CutPrefix(c.header.Get("Authorization"), "Bearer ")
	if !isBearer || token == "" {
		return unauthorized("Access token is empty.")
	}
	g, known := s.tokens[token]
	if !known {
		return unauthorized("CompactToken parsing failed with error code: 80049217")
	}
	t, exists := s.tenants[g.tenant]
	if !exists {
		return unauthorized("The identity of the calling application could not be established.")
	}
	c.token = token
	c.tenant = t
	c.app = g.app
	c.perms = t.apps[g.app].perms
	c.entry.Tenant = g.tenant
	c.entry.App = g.app
	if !g.expires.After(c.now) {
		return unauthorized("Lifetime validation failed, the token is expired.")
	}
	return nil
}

func unauthorized(message string) *reply {
	rep := fail(http.StatusUnauthorized, "InvalidAuthenticationToken", message)
	rep.header = http.Header{
		"Www-Authenticate": {
			`Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize"`,
		},
	}
	return rep
}

// RevokeTokens makes every token of a tenant invalid, as a disabled app does.
func (s *Server) RevokeTokens(tenantID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for token, g := range s.tokens {
		if strings.EqualFold(g.tenant, tenantID) {
			delete(s.tokens, token)
		}
	}
}
