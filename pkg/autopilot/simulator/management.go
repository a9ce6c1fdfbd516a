package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// Management returns the handler of the management listener, which belongs on
// another port than Handler and on the loopback interface: it has no
// authentication. docs/simulator.md lists the paths.
func (s *Server) Management() http.Handler {
	mux := http.NewServeMux()
	for pattern, h := range map[string]func(*http.Request) (any, error){
		"GET /healthz":        func(*http.Request) (any, error) { return map[string]string{"status": "ok"}, nil },
		"GET /options":        func(*http.Request) (any, error) { return s.Options().Lines(), nil },
		"GET /tenants":        func(*http.Request) (any, error) { return s.Tenants(), nil },
		"POST /tenants":       s.manageAddTenant,
		"GET /state/{tenant}": func(r *http.Request) (any, error) { return s.State(r.PathValue("tenant")) },
		"GET /requests":       s.manageRequests,
		"GET /reposts":        func(*http.Request) (any, error) { return notNil(BlindReposts(s.Log())), nil },
		"GET /faults":         func(*http.Request) (any, error) { return notNil(s.Plan()), nil },
		"POST /faults":        s.manageAddFault,
		"DELETE /faults":      func(*http.Request) (any, error) { s.RemoveFault(0); return nil, nil },
		"DELETE /faults/{id}": s.manageRemoveFault,
		"POST /seeds":         s.manageSeed,
		"POST /reset":         func(*http.Request) (any, error) { s.Reset(); return nil, nil },
		"POST /advance":       s.manageAdvance,
		"POST /revoke/{tenant}": func(r *http.Request) (any, error) {
			s.RevokeTokens(r.PathValue("tenant"))
			return nil, nil
		},
		"POST /approval/{tenant}": func(r *http.Request) (any, error) {
			return nil, s.SetApproval(r.PathValue("tenant"), Approval(r.URL.Query().Get("mode")))
		},
		"POST /approve/{tenant}": func(r *http.Request) (any, error) { return nil, s.Approve(r.PathValue("tenant")) },
	} {
		mux.HandleFunc(pattern, manage(h))
	}
	return mux
}

// manage writes a result as JSON, nothing as 204, and an error in plain words.
func manage(h func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 64<<20)
		value, err := h(r)
		w.Header().Set("Content-Type", "application/json")
		switch {
		case errors.Is(err, ErrTenant):
			w.WriteHeader(http.StatusNotFound)
		case err != nil:
			w.WriteHeader(http.StatusBadRequest)
		case value == nil:
			w.WriteHeader(http.StatusNoContent)
			return
		}
		if err != nil {
			value = map[string]string{"error": err.Error()}
		}
		_, _ = w.Write(encode(value)) // a client that left is no error of ours
	}
}

// readJSON decodes a body strictly: a misspelt knob is not ignored.
func readJSON(from io.Reader, v any) error {
	dec := json.NewDecoder(from)
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return fmt.Errorf("simulator: body: %w", err)
	}
	return nil
}

func notNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func (s *Server) manageAddTenant(r *http.Request) (any, error) {
	var t Tenant
	if err := readJSON(r.Body, &t); err != nil {
		return nil, err
	}
	if t.ID == "" || t.ClientID == "" {
		return nil, fmt.Errorf("%w: id and clientId are needed", ErrSeed)
	}
	s.AddTenant(t)
	return nil, nil
}

// manageRequests answers the log, narrowed by operation, tenant, serial,
// importId, status and after (a sequence number).
func (s *Server) manageRequests(r *http.Request) (any, error) {
	q := r.URL.Query()
	after := 0
	status := 0
	for name, into := range map[string]*int{"after": &after, "status": &status} {
		raw := q.Get(name)
		if raw == "" {
			continue
		}
		n, err := strconv.Atoi(raw)
		if err != nil {
			return nil, fmt.Errorf("simulator: %s: %w", name, err)
		}
		*into = n
	}
	out := []Request{}
	for _, req := range s.Log(q["operation"]...) {
		if req.Seq > after && (status == 0 || req.Status == status) &&
			(q.Get("tenant") == "" || equal(q.Get("tenant"))(req.Tenant)) &&
			among(q.Get("serial"), req.Serials) &&
			among(q.Get("importId"), req.ImportIDs) {
			out = append(out, req)
		}
	}
	return out, nil
}

func among(want string, have []string) bool {
	if want == "" {
		return true
	}
	for _, v := range have {
		if equal(want)(v) {
			return true
		}
	}
	return false
}

func (s *Server) manageAddFault(r *http.Request) (any, error) {
	var f Fault
	if err := readJSON(r.Body, &f); err != nil {
		return nil, err
	}
	id, err := s.AddFault(f)
	return map[string]int{"id": id}, err
}

func (s *Server) manageRemoveFault(r *http.Request) (any, error) {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil || id < 1 {
		return nil, fmt.Errorf("%w: id %q", ErrFault, r.PathValue("id"))
	}
	s.RemoveFault(id)
	return nil, nil
}

func (s *Server) manageSeed(r *http.Request) (any, error) {
	seeds, err := ReadSeeds(r.Body)
	if err != nil {
		return nil, err
	}
	return s.Plant(seeds)
}

// manageAdvance moves the clock: {"by":"10m"}.
func (s *Server) manageAdvance(r *http.Request) (any, error) {
	var in struct {
		By string `json:"by"`
	}
	if err := readJSON(r.Body, &in); err != nil {
		return nil, err
	}
	by, err := time.ParseDuration(in.By)
	if err != nil || by < 0 {
		return nil, fmt.Errorf("simulator: by: %q is not a duration forward", in.By)
	}
	s.Advance(by)
	changes, next := s.Pending()
	return map[string]any{"pending": changes, "next": next.String()}, nil
}
