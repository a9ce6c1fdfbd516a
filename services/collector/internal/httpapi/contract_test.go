package httpapi_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"taxiway.example/services/collector/internal/httpapi"
)

// description reads docs/api/openapi.yaml once.
var description = sync.OnceValues(func() (routers.Router, error) {
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromFile(filepath.Join("..", "..", "..", "..", "docs", "api", "openapi.yaml"))
	if err != nil {
		return nil, err
	}
	doc.Servers = nil // requests of tests have no host
	return legacy.NewRouter(doc)
})

func route(t testing.TB, r *http.Request) (*routers.Route, map[string]string, error) {
	t.Helper()
	router, err := description()
	if err != nil {
		t.Fatalf("docs/api/openapi.yaml: %v", err)
	}
	return router.FindRoute(r)
}

// conforms holds an answer against the description. Paths and methods that it does not have must be refused.
func conforms(t testing.TB, r *http.Request, w *httptest.ResponseRecorder) {
	t.Helper()
	found, params, err := route(t, r)
	if err != nil {
		if w.Code != http.StatusNotFound && w.Code != http.StatusMethodNotAllowed &&
			w.Code != http.StatusUnauthorized &&
			w.Code != http.StatusForbidden {
			t.Errorf("%s %s is not described and answers %d", r.Method, r.URL.Path, w.Code)
		}
		return
	}
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: found},
		Status:                 w.Code, Header: w.Header(), Body: io.NopCloser(bytes.NewReader(w.Body.Bytes())),
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	}
	if kind := w.Header().Get("Content-Type"); strings.HasPrefix(kind, "text/csv") || kind == "application/x-ndjson" {
		input.Options.ExcludeResponseBody = true
	}
	if err := openapi3filter.ValidateResponse(context.WithoutCancel(r.Context()), input); err != nil {
		t.Errorf("%s %s answers %d, which is not as described: %.800v", r.Method, r.URL.Path, w.Code, err)
	}
}

func TestDescriptionAndRoutesAreTheSame(t *testing.T) {
	t.Parallel()
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromFile(filepath.Join("..", "..", "..", "..", "docs", "api", "openapi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context(), openapi3.IsOpenAPI31OrLater()); err != nil {
		t.Error(err)
	}
	described := map[string]bool{}
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			described[method+" "+path] = true
		}
	}
	for _, r := range httpapi.Routes() {
		key := r.Method + " " + r.Path
		if !described[key] {
			t.Errorf("%s is served and not described", key)
		}
		delete(described, key)
	}
	for key := range described {
		t.Errorf("%s is described and not served", key)
	}
}
