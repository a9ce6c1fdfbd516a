package autopilot_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
)

// held returns a transport that holds every exchange, those inside a batch too, to the independent description of
// Microsoft Graph in ../shared/contract. Where that is not there it says so and checks nothing.
func held(t *testing.T, next http.RoundTripper) http.RoundTripper {
	t.Helper()
	routers := contract()
	if routers == nil {
		t.Log(
			"NOT CHECKED: ../shared/contract is not there, so requests are not held to the description of Microsoft Graph",
		)
		return next
	}
	return &checker{t, routers, next}
}

// contract is read once: it is large.
var contract = sync.OnceValue(func() map[string]routers.Router {
	dir, err := os.Getwd()
	for err == nil && filepath.Dir(dir) != dir {
		if _, missing := os.Stat(filepath.Join(dir, "go.work")); missing == nil {
			break
		}
		dir = filepath.Dir(dir)
	}
	dir = filepath.Join(filepath.Dir(dir), "shared", "contract")
	if _, err := os.Stat(dir); err != nil {
		return nil
	}
	all := map[string]routers.Router{}
	for version, name := range map[string]string{"v1.0": "graph-subset.openapi.yaml", "beta": "graph-subset.beta.openapi.yaml"} {
		doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join(dir, name))
		if err != nil {
			panic(err)
		}
		doc.Servers = append(doc.Servers, &openapi3.Server{URL: "https://login.microsoftonline.com"})
		if all[version], err = legacy.NewRouter(doc); err != nil {
			panic(err)
		}
	}
	return all
})

type checker struct {
	*testing.T
	contract map[string]routers.Router
	next     http.RoundTripper
}

func (k *checker) RoundTrip(r *http.Request) (*http.Response, error) {
	sent := drain(&r.Body)
	resp, err := k.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answered := drain(&resp.Body)
	path := r.URL.RequestURI()
	host := "https://graph.microsoft.com"
	version, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if strings.HasSuffix(r.URL.Path, "/token") {
		version = "v1.0"
		host = "https://login.microsoftonline.com"
	}
	k.hold(version, r.Method, host+path, r.Header, sent, resp.StatusCode, resp.Header, answered)
	if strings.HasSuffix(r.URL.Path, "/$batch") && resp.StatusCode == http.StatusOK {
		k.holdBatch(version, sent, answered)
	}
	return resp, nil
}

func drain(body *io.ReadCloser) []byte {
	if *body == nil {
		return nil
	}
	raw, _ := io.ReadAll(*body) // what is cut on purpose stays cut
	*body = io.NopCloser(bytes.NewReader(raw))
	return raw
}

func (k *checker) hold(
	version, method, address string,
	header http.Header,
	sent []byte,
	status int,
	answerHeader http.Header,
	answered []byte,
) {
	k.Helper()
	req, err := http.NewRequestWithContext(k.Context(), method, address, bytes.NewReader(sent))
	if err != nil {
		k.Error(err)
		return
	}
	req.Header = header
	route, params, err := k.contract[version].FindRoute(req)
	if err != nil {
		k.Errorf("%s %s is not in the contract: %v", method, req.URL.Path, err)
		return
	}
	in := &openapi3filter.RequestValidationInput{
		Request:    req,
		PathParams: params,
		Route:      route,
		Options: &openapi3filter.Options{
			AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true, MultiError: true,
		},
	}
	if err := openapi3filter.ValidateRequest(k.Context(), in); err != nil {
		k.Errorf("our request breaks the contract: %s %s: %v", method, req.URL.Path, err)
	}
	if status >= http.StatusInternalServerError || !json.Valid(answered) && len(answered) > 0 {
		return // planned to be broken
	}
	out := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in,
		Status:                 status,
		Header:                 answerHeader,
		Options:                in.Options,
	}
	if err := openapi3filter.ValidateResponse(k.Context(), out.SetBodyBytes(answered)); err != nil {
		k.Errorf("the answer breaks the contract: %s %s → %d: %v", method, req.URL.Path, status, err)
	}
}

func (k *checker) holdBatch(version string, sent, answered []byte) {
	k.Helper()
	var asked struct {
		Requests []struct {
			ID, Method, URL string
			Headers         map[string]string
			Body            json.RawMessage
		}
	}
	var got struct {
		Responses []struct {
			ID     string
			Status int
			Body   json.RawMessage
		}
	}
	if json.Unmarshal(sent, &asked) != nil || json.Unmarshal(answered, &got) != nil {
		k.Error("a batch that is no JSON")
	}
	for _, a := range asked.Requests {
		for _, g := range got.Responses {
			if a.ID != g.ID {
				continue
			}
			header := http.Header{}
			for name, value := range a.Headers {
				header.Set(name, value)
			}
			answer := http.Header{"Content-Type": {"application/json"}}
			k.hold(
				version,
				a.Method,
				"https://graph.microsoft.com/"+version+a.URL,
				header,
				a.Body,
				g.Status,
				answer,
				g.Body,
			)
		}
	}
}
