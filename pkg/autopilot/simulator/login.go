package simulator

import (
	"net/http"
	"net/url"
	"strings"
)

// loginTable lists what the login host serves besides Graph.
func (s *Server) loginTable() []route {
	r := routes{}
	r.add("token", "POST", "{id}/oauth2/v2.0/token", s.issueToken, nil)
	r.add("openid.configuration", "GET", "{id}/v2.0/.well-known/openid-configuration", s.openIDConfiguration, nil)
	r.add("instance.discovery", "GET", "common/discovery/instance", s.discoverInstance, nil)
	for _, added := range r {
		added.public = true
	}
	return r.deref()
}

// resolveLogin finds an operation of the login host; the second result says whether the path belongs there.
func (s *Server) resolveLogin(c *call, segments []string) (*reply, bool) {
	for i := range s.login {
		r := &s.login[i]
		id, _, matches := r.matches(segments)
		if !matches {
			continue
		}
		c.route = r
		c.id = strings.ToLower(id)
		c.entry.Operation = r.op
		c.entry.Tenant = c.id
		if c.method != r.method {
			return s.refuse(c, oauthError{
				http.StatusMethodNotAllowed, "invalid_request", 900561,
				"The endpoint only accepts " + r.method + " requests. Received a " + c.method + " request.",
			}), true
		}
		return nil, true
	}
	return nil, false
}

// openIDConfiguration is the discovery document of a tenant (OpenID Connect Discovery 1.0; Microsoft page "OpenID
// Connect on the Microsoft identity platform"). Of the addresses in it only the token endpoint is served here.
func (s *Server) openIDConfiguration(c *call) *reply {
	t, known := s.tenants[c.id]
	if !known {
		e := unknownTenant(c.id)
		e.code = "invalid_tenant"
		return s.refuse(c, e)
	}
	tenant := c.base + "/" + t.id
	host := strings.TrimPrefix(strings.TrimPrefix(c.base, "https://"), "http://")
	return ok(http.StatusOK, map[string]any{
		"issuer": tenant + "/v2.0", "token_endpoint": tenant + "/oauth2/v2.0/token",
		"authorization_endpoint": tenant + "/oauth2/v2.0/authorize", "jwks_uri": tenant + "/discovery/v2.0/keys",
		"end_session_endpoint":                  tenant + "/oauth2/v2.0/logout",
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "private_key_jwt", "client_secret_basic"},
		"response_types_supported":              []string{"code", "id_token", "code id_token", "id_token token"},
		"response_modes_supported":              []string{"query", "fragment", "form_post"},
		"subject_types_supported":               []string{"pairwise"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"scopes_supported":                      []string{"openid", "profile", "email", "offline_access"},
		"tenant_region_scope":                   nil, "cloud_instance_name": host, "msgraph_host": host,
	})
}

// discoverInstance says where the discovery document of an authority is. Microsoft's libraries ask this at
// login.microsoftonline.com when they do not know the authority's host, unless instance discovery is disabled. Every
// host is an instance here: the simulator does not know by which names it is reached.
func (s *Server) discoverInstance(c *call) *reply {
	if c.get("api-version") == "" {
		return s.refuse(c, missingParameter("api-version"))
	}
	authority, err := url.Parse(c.get("authorization_endpoint"))
	if err != nil || !isScheme(authority.Scheme) || !isHost(authority.Host) {
		return s.refuse(c, oauthError{http.StatusBadRequest, "invalid_instance", 50049, "Unknown or invalid instance."})
	}
	tenant, _, _ := strings.Cut(strings.TrimPrefix(authority.Path, "/"), "/")
	return ok(http.StatusOK, map[string]any{
		"tenant_discovery_endpoint": authority.Scheme + "://" + authority.Host + "/" + url.PathEscape(tenant) +
			"/v2.0/.well-known/openid-configuration",
		"api-version": "1.1",
		"metadata": []map[string]any{{
			"preferred_network": authority.Host, "preferred_cache": authority.Host, "aliases": []string{authority.Host},
		}},
	})
}
