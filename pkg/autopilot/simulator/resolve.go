package simulator

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// resolve finds the operation, or says visibly that there is none.
func (s *Server) resolve(c *call) *reply {
	segments, err := pathSegments(c.path)
	if err != nil {
		return fail(http.StatusBadRequest, "BadRequest", "Malformed path.")
	}
	if rep, served := s.resolveLogin(c, segments); served {
		return rep
	}
	if len(segments) == 0 || segments[0] != "v1.0" && segments[0] != "beta" {
		return fail(http.StatusNotFound, "BadRequest", "Invalid version: the path must begin with /v1.0 or /beta.")
	}
	c.version = segments[0]
	wrongVerb := false
	for i := range s.routes {
		r := &s.routes[i]
		id, sub, matches := r.matches(segments[1:])
		if !matches || r.beta && !c.beta() {
			continue
		}
		if r.method != c.method {
			wrongVerb = true
			continue
		}
		c.route = r
		c.id = strings.ToLower(id)
		c.sub = strings.ToLower(sub)
		c.entry.Operation = r.op
		return nil
	}
	if wrongVerb {
		return fail(
			http.StatusMethodNotAllowed,
			"Request_BadRequest",
			"Specified HTTP method is not allowed for the request target.",
		)
	}
	return fail(
		http.StatusNotFound,
		"ResourceNotFound",
		"Resource not found for the segment '"+segments[len(segments)-1]+"'.",
	)
}

func pathSegments(escaped string) ([]string, error) {
	var out []string
	for part := range strings.SplitSeq(strings.Trim(escaped, "/"), "/") {
		segment, err := url.PathUnescape(part)
		if err != nil {
			return nil, err
		}
		out = append(out, segment)
	}
	return out, nil
}

func (r *route) matches(segments []string) (id, sub string, matches bool) {
	if len(segments) != len(r.path) {
		return "", "", false
	}
	for i, want := range r.path {
		switch want {
		case "{id}":
			id = segments[i]
		case "{sub}":
			sub = segments[i]
		case segments[i]:
		default:
			return "", "", false
		}
	}
	return id, sub, true
}

// directory says whether the call is answered by Entra, not by Intune.
func (c *call) directory() bool {
	return c.route != nil && (c.route.path[0] == "groups" || c.route.path[0] == "devices")
}

func (c *call) write() bool {
	return c.method != http.MethodGet && (c.route == nil || c.route.op != "groups.evaluate")
}

// permitted refuses an app whose permissions do not cover the operation.
func permitted(c *call) *reply {
	if c.perms == nil || c.route.perms == nil {
		return nil
	}
	for _, p := range c.perms {
		if slices.Contains(c.route.perms, p) {
			return nil
		}
	}
	if c.directory() {
		return fail(
			http.StatusForbidden,
			"Authorization_RequestDenied",
			"Insufficient privileges to complete the operation.",
		)
	}
	return failIntune(http.StatusForbidden, "Forbidden",
		"Application is not authorized to perform this operation. Application must have one of the following scopes: "+
			strings.Join(c.route.perms, ", "))
}

// encodeQuery keeps the $ of OData options readable, as the service does.
func encodeQuery(q url.Values) string {
	return strings.ReplaceAll(q.Encode(), "%24", "$")
}
