package e2e

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// contract loads the description from beside the repository; without it the check is said to be missing.
func contract(t *testing.T) *Contract {
	t.Helper()
	c, err := LoadContract(filepath.Join("..", "..", "..", "shared", "contract"))
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("SKIPPED: the OpenAPI contract is not beside the repository; exchanges are not checked against it")
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The check itself must be able to fail.
func TestContractFindsWhatIsWrong(t *testing.T) {
	for name, tc := range map[string]struct {
		method, path, body string
		status             int
		answer             string
		want               string
	}{
		"good": {http.MethodGet, "/v1.0/deviceManagement/windowsAutopilotDeviceIdentities", "", 200, `{"value":[{"id":"x","serialNumber":"S"}]}`, ""},
		"unknown property in the answer": {
			http.MethodGet, "/v1.0/deviceManagement/windowsAutopilotDeviceIdentities", "", 200,
			`{"value":[{"id":"x","serial":"S"}]}`, "answer",
		},
		"unknown path":               {http.MethodGet, "/v1.0/deviceManagement/autopilots", "", 200, `{}`, "not in the contract"},
		"unknown request property":   {http.MethodPost, "/v1.0/deviceManagement/windowsAutopilotDeviceIdentities/1/updateDeviceProperties", `{"tag":"A"}`, 204, "", "request"},
		"error without a code":       {http.MethodGet, "/beta/deviceManagement/windowsAutopilotSettings", "", 500, `{"error":{"message":"m"}}`, "answer"},
		"token without access_token": {http.MethodPost, "/tenant/oauth2/v2.0/token", "grant_type=client_credentials&client_id=a&scope=b", 200, `{"token_type":"Bearer","expires_in":1}`, "answer"},
	} {
		t.Run(name, func(t *testing.T) {
			c := contract(t)
			h := c.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if tc.answer != "" {
					w.Header().Set("Content-Type", "application/json")
				}
				w.WriteHeader(tc.status)
				_, _ = w.Write([]byte(tc.answer))
			}))
			req := httptest.NewRequestWithContext(t.Context(), tc.method, tc.path, strings.NewReader(tc.body))
			if tc.body != "" {
				req.Header.Set("Content-Type", "application/json")
				if strings.Contains(tc.path, "oauth2") {
					req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				}
			}
			h.ServeHTTP(httptest.NewRecorder(), req)
			n, problems := c.Result()
			if n != 1 {
				t.Fatalf("%d exchanges", n)
			}
			if got := strings.Join(problems, "; "); (tc.want == "") != (got == "") || !strings.Contains(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
