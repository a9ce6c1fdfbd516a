package simulator

import (
	"net/http"
	"net/url"
	"strings"
)

// origin is scheme and host as the client sees them. A TLS terminator in front says what it was asked for: with
// Forwarded (RFC 7239), or with X-Forwarded-Proto and X-Forwarded-Host. Of several proxies the first is the client's.
func origin(r *http.Request) string {
	scheme := "http"
	if r.TLS != nil || r.URL.Scheme == "https" {
		scheme = "https"
	}
	host := r.Host
	for _, seen := range []struct{ scheme, host string }{
		{first(r.Header.Get("X-Forwarded-Proto")), first(r.Header.Get("X-Forwarded-Host"))},
		forwarded(r.Header.Get("Forwarded")),
	} {
		if isScheme(seen.scheme) {
			scheme = strings.ToLower(seen.scheme)
		}
		if isHost(seen.host) {
			host = seen.host
		}
	}
	return scheme + "://" + host
}

// forwarded returns proto and host of the first element of a Forwarded header.
func forwarded(header string) (seen struct{ scheme, host string }) {
	for pair := range strings.SplitSeq(first(header), ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
		value = strings.Trim(value, `"`)
		switch strings.ToLower(name) {
		case "proto":
			seen.scheme = value
		case "host":
			seen.host = value
		}
	}
	return seen
}

// first is the first value of a list.
func first(list string) string {
	value, _, _ := strings.Cut(list, ",")
	return strings.TrimSpace(value)
}

func isScheme(s string) bool { return strings.EqualFold(s, "http") || strings.EqualFold(s, "https") }

// isHost says whether an address with this host leads there and nowhere else.
func isHost(host string) bool {
	u, err := url.Parse("//" + host)
	return err == nil && host != "" && u.Host == host
}
