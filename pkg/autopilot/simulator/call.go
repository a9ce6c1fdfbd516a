package simulator

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// call is one request on its way through the simulator; one of a $batch has a
// call of its own.
type call struct {
	now     time.Time
	method  string
	path    string
	header  http.Header
	query   map[string][]string
	body    []byte
	base    string // scheme and host, for next links
	version string // v1.0, beta or empty
	route   *route
	id, sub string // path parameters
	token   string
	app     string
	perms   []string
	tenant  *tenant
	devices []submitted // of an import
	fault   *Fault      // that comes after the effect
	entry   Request
}

func (c *call) beta() bool { return c.version == "beta" }

func (c *call) get(option string) string {
	if v := c.query[option]; len(v) > 0 {
		return v[0]
	}
	return ""
}

func newCall(r *http.Request, body []byte, now time.Time) *call {
	c := &call{
		now: now, method: r.Method, path: r.URL.EscapedPath(), header: r.Header,
		query: r.URL.Query(), body: body, base: origin(r),
	}
	c.entry = Request{Time: now, Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery}
	return c
}

// nextLink is the URL of the following page: the same query with another token.
func (c *call) nextLink(token string) string {
	q := map[string][]string{}
	for k, v := range c.query {
		if k != "$skiptoken" {
			q[k] = v
		}
	}
	q["$skiptoken"] = []string{token}
	return c.base + c.path + "?" + encodeQuery(q)
}

// top is the page size asked for, at most the service's own.
func (c *call) top(size, most int) (int, *reply) {
	raw := c.get("$top")
	if raw == "" {
		return size, nil
	}
	n, err := strconv.Atoi(strings.TrimSpace(raw))
	if err != nil || n < 1 {
		return 0, c.bad("Invalid value '" + raw + "' for $top query option.")
	}
	return min(n, most), nil
}
