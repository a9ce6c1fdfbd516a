package device

import "strings"

// TenantID is our name of a tenant; it is no secret. It stands in configuration, events and the names of intake queues,
// and has one syntax everywhere, that of a DNS label in lower case (RFC 1123): one to 63 of a-z, 0-9 and '-', no '-' at
// either end.
type TenantID string

const (
	maxTenantID      = 63 // bytes
	tenantIDAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789-"
)

// Valid reports whether id has the syntax of a tenant id; whether there is such a tenant is for the configuration to
// say.
func (id TenantID) Valid() bool {
	s := string(id)
	return s != "" && len(s) <= maxTenantID && strings.Trim(s, "-") == s && strings.Trim(s, tenantIDAlphabet) == ""
}
