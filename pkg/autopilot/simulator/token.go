package simulator

import (
	"crypto/subtle"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	graphScope    = "https://graph.microsoft.com/.default"
	assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
)

// grant is what an access token stands for.
type grant struct {
	tenant, app string
	expires     time.Time
}

// oauthError is an answer of the token endpoint that is not a token.
type oauthError struct {
	status int
	code   string
	aadsts int
	text   string
}

// issueToken is the client credentials grant of the Microsoft identity platform.
func (s *Server) issueToken(c *call) *reply {
	form, err := url.ParseQuery(string(c.body))
	if err != nil || !strings.HasPrefix(c.header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return s.refuse(
			c,
			oauthError{http.StatusBadRequest, "invalid_request", 900144, "The request body must be form encoded."},
		)
	}
	t, known := s.tenants[c.id]
	if !known {
		return s.refuse(c, unknownTenant(c.id))
	}
	clientID, secret := credentials(c, form)
	if e := checkGrant(form, clientID); e != nil {
		return s.refuse(c, *e)
	}
	registered, known := t.apps[strings.ToLower(clientID)]
	if !known {
		return s.refuse(c, oauthError{
			http.StatusBadRequest, "unauthorized_client", 700016,
			"Application with identifier '" + clientID + "' was not found in the directory '" + c.id + "'.",
		})
	}
	if e := checkCredential(form, secret, registered); e != nil {
		return s.refuse(c, *e)
	}
	c.entry.App = strings.ToLower(clientID)
	c.entry.Applied = true
	return s.grantToken(c, t.id, strings.ToLower(clientID))
}

func (s *Server) grantToken(c *call, tenantID, clientID string) *reply {
	for token, g := range s.tokens {
		if g.expires.Before(c.now.Add(-time.Hour)) {
			delete(s.tokens, token)
		}
	}
	token := "simulated." + s.newID() + "." + s.newID()
	s.tokens[token] = grant{tenantID, clientID, c.now.Add(s.opt.TokenLifetime)}
	life := int(s.opt.TokenLifetime / time.Second)
	return ok(http.StatusOK, map[string]any{
		"token_type": "Bearer", "expires_in": life, "ext_expires_in": life, "access_token": token,
	})
}

func credentials(c *call, form url.Values) (id, secret string) {
	id = form.Get("client_id")
	secret = form.Get("client_secret")
	r := http.Request{Header: c.header}
	if user, password, basic := r.BasicAuth(); basic && id == "" {
		id, _ = url.QueryUnescape(user)
		secret, _ = url.QueryUnescape(password)
	}
	return id, secret
}

func checkGrant(form url.Values, clientID string) *oauthError {
	switch {
	case form.Get("grant_type") != "client_credentials":
		return &oauthError{
			http.StatusBadRequest, "unsupported_grant_type", 70003,
			"The app requested an unsupported grant type '" + form.Get("grant_type") + "'.",
		}
	case clientID == "":
		missing := missingParameter("client_id")
		return &missing
	case form.Get("scope") == "":
		missing := missingParameter("scope")
		return &missing
	case !oneResource(form.Get("scope")):
		return &oauthError{
			http.StatusBadRequest, "invalid_scope", 1002012,
			"The provided value for scope is not valid. Client credential flows must have a scope value with /.default " +
				"suffixed to the resource identifier, such as " + graphScope + ".",
		}
	}
	return nil
}

// oneResource says whether a scope is /.default of one resource. Microsoft's libraries ask for OpenID's scopes besides.
func oneResource(scope string) bool {
	resources := slices.DeleteFunc(strings.Fields(scope), func(s string) bool {
		return slices.Contains([]string{"openid", "offline_access", "profile", "email"}, s)
	})
	return len(resources) == 1 && strings.HasSuffix(resources[0], "/.default")
}

// checkCredential accepts the secret, or any well-formed assertion: the
// simulator has no certificates to check one against.
func checkCredential(form url.Values, secret string, registered app) *oauthError {
	switch assertion := form.Get("client_assertion"); {
	case assertion != "" && form.Get("client_assertion_type") != assertionType,
		assertion != "" && strings.Count(assertion, ".") != 2:
		return &oauthError{http.StatusUnauthorized, "invalid_client", 50027, "JWT token is invalid or malformed."}
	case assertion != "":
		return nil
	case secret == "":
		return &oauthError{
			http.StatusUnauthorized, "invalid_client", 7000218,
			"The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
		}
	case subtle.ConstantTimeCompare([]byte(secret), []byte(registered.secret)) != 1:
		return &oauthError{
			http.StatusUnauthorized, "invalid_client", 7000215,
			"Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not " +
				"the client secret ID.",
		}
	}
	return nil
}

func unknownTenant(id string) oauthError {
	return oauthError{
		http.StatusBadRequest, "invalid_request", 90002,
		"Tenant '" + id + "' not found. Check to make sure you have the correct tenant ID.",
	}
}

func missingParameter(name string) oauthError {
	return oauthError{
		http.StatusBadRequest, "invalid_request", 900144,
		"The request body must contain the following parameter: '" + name + "'.",
	}
}

func (s *Server) refuse(c *call, e oauthError) *reply {
	trace := s.newID()
	correlation := s.newID()
	at := c.now.UTC().Format("2006-01-02 15:04:05Z")
	return ok(e.status, map[string]any{
		"error": e.code,
		"error_description": fmt.Sprintf("AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s",
			e.aadsts, e.text, trace, correlation, at),
		"error_codes": []int{e.aadsts}, "timestamp": at, "trace_id": trace, "correlation_id": correlation,
		"error_uri": fmt.Sprintf("https://login.microsoftonline.com/error?code=%d", e.aadsts),
	})
}
