package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// Contract holds every exchange with Microsoft's side to the independent OpenAPI description of its calls.
type Contract struct {
	routers map[string]routers.Router // by version: v1.0, beta

	mu        sync.Mutex
	exchanges int
	problems  []string
}

// LoadContract reads the descriptions from the folder, or returns nil and os.ErrNotExist when it is not there.
func LoadContract(folder string) (*Contract, error) {
	c := &Contract{routers: map[string]routers.Router{}}
	for version, name := range map[string]string{
		"v1.0": "graph-subset.openapi.yaml", "beta": "graph-subset.beta.openapi.yaml",
	} {
		path := filepath.Join(folder, name)
		if _, err := os.Stat(path); err != nil {
			return nil, err
		}
		doc, err := openapi3.NewLoader().LoadFromFile(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		doc.Servers = openapi3.Servers{{URL: "/" + version}}
		for path, item := range doc.Paths.Map() {
			item.Servers = nil
			for _, op := range item.Operations() {
				op.Servers = nil
				op.Security = nil
			}
			if strings.Contains(path, "oauth2") {
				item.Servers = openapi3.Servers{{URL: "/"}}
			}
		}
		doc.Security = nil
		r, err := gorillamux.NewRouter(doc)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		c.routers[version] = r
	}
	return c, nil
}

// Wrap returns a handler that answers as next does and notes what breaks the contract.
func (c *Contract) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 64<<20))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		c.check(r, body, rec)
		for k, v := range rec.Header() {
			w.Header()[k] = v
		}
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	})
}

// Result returns how many exchanges were checked and what was wrong.
func (c *Contract) Result() (exchanges int, problems []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.exchanges, c.problems
}

func (c *Contract) check(r *http.Request, body []byte, rec *httptest.ResponseRecorder) {
	err := c.validate(r, body, rec)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.exchanges++
	if err != nil && len(c.problems) < 20 {
		c.problems = append(c.problems, fmt.Sprintf("%s %s → %d: %v", r.Method, r.URL.Path, rec.Code, err))
	}
}

func (c *Contract) validate(r *http.Request, body []byte, rec *httptest.ResponseRecorder) error {
	version := "v1.0"
	if strings.HasPrefix(r.URL.Path, "/beta/") {
		version = "beta"
	}
	req := r.Clone(context.WithoutCancel(r.Context()))
	req.URL.Host = ""
	req.URL.Scheme = ""
	req.Body = io.NopCloser(bytes.NewReader(body))
	route, params, err := c.routers[version].FindRoute(req)
	if err != nil {
		return fmt.Errorf("not in the contract: %w", err)
	}
	in := &openapi3filter.RequestValidationInput{
		Request: req, PathParams: params, Route: route,
		Options: &openapi3filter.Options{
			IncludeResponseStatus: true,
			AuthenticationFunc:    openapi3filter.NoopAuthenticationFunc,
		},
	}
	refused := rec.Code >= 400 // a refused request may be wrong on purpose; its answer may not
	if err := openapi3filter.ValidateRequest(req.Context(), in); err != nil && !refused {
		return fmt.Errorf("request: %w", err)
	}
	out := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in,
		Status:                 rec.Code,
		Header:                 rec.Header(),
		Options:                in.Options,
	}
	out.SetBodyBytes(rec.Body.Bytes())
	if err := openapi3filter.ValidateResponse(req.Context(), out); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	return nil
}
