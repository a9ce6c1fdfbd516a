// Package api holds the JSON of the HTTP API: what the collector answers and what clients read. Paths, parameters and
// meanings are in docs/api/openapi.yaml, to which tests hold both sides. Nothing here holds a hash, a product key or a
// token.
package api
