package httpapi

import (
	"net/http"
	"strings"

	"taxiway.example/pkg/access"
	"taxiway.example/pkg/deadletter"
	"taxiway.example/pkg/fault"
)

// decider is the operator that decides with this key.
func decider(p access.Principal) deadletter.Operator {
	return deadletter.Operator{Name: p.Name, Tenant: p.Tenant.ID}
}

// authorize decides who a request is for and whether they may do it: the one place that does.
func (a *API) authorize(r *http.Request, need permission) (access.Principal, error) {
	if need == public {
		return access.Principal{}, nil
	}
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if key = strings.TrimSpace(key); !strings.EqualFold(scheme, "Bearer") || key == "" {
		return access.Principal{}, fault.New(fault.RequestUnauthenticated, "There is no key.")
	}
	p, ok := a.keys.Holder(key)
	switch {
	case !ok:
		return access.Principal{}, fault.New(fault.RequestUnauthenticated, "The key is not known.")
	case (need == operator || need == tenantOperator) && !p.Operator:
		return p, fault.New(fault.RequestForbidden, "This needs an operator's key.")
	case (need == sender || need == tenantOperator) && p.Global():
		return p, fault.New(fault.RequestForbidden, "This needs the key of a tenant.")
	}
	return p, a.limits.take(p.ID(), a.Now())
}
