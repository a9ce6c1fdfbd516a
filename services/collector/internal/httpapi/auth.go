package httpapi

import (
	"net/http"
	"strings"

	"taxiway.example/pkg/deadletter"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/tenant"
)

// principal is who a request acts for.
type principal struct {
	tenant   tenant.Tenant // zero for keys of no tenant
	name     string        // the key's name
	operator bool
}

// house reports whether the key belongs to no tenant and so to all.
func (p principal) global() bool { return p.tenant.ID == "" }

// id tells keys apart in limits and logs.
func (p principal) id() string { return string(p.tenant.ID) + "/" + p.name }

// decider is the operator that decides with this key.
func (p principal) decider() deadletter.Operator {
	return deadletter.Operator{Name: p.name, Tenant: p.tenant.ID}
}

// authorize decides who a request is for and whether they may do it: the one place that does.
func (a *API) authorize(r *http.Request, need permission) (principal, error) {
	if need == public {
		return principal{}, nil
	}
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if key = strings.TrimSpace(key); !strings.EqualFold(scheme, "Bearer") || key == "" {
		return principal{}, fault.New(fault.RequestUnauthenticated, "There is no key.")
	}
	holder, ok := a.keys.Holder(key)
	p := principal{holder.Tenant, holder.Name, holder.Operator}
	switch {
	case !ok:
		return principal{}, fault.New(fault.RequestUnauthenticated, "The key is not known.")
	case (need == operator || need == tenantOperator) && !p.operator:
		return p, fault.New(fault.RequestForbidden, "This needs an operator's key.")
	case (need == sender || need == tenantOperator) && p.global():
		return p, fault.New(fault.RequestForbidden, "This needs the key of a tenant.")
	}
	return p, a.limits.take(p.id(), a.Now())
}
