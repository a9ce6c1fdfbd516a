package graph_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/graph"
	"taxiway.example/pkg/hwhash"
)

func TestTokenIsKeptUntilShortlyBeforeItExpires(t *testing.T) {
	s := serve(t, ok(`{}`), ok(`{}`), ok(`{}`), ok(`{}`))
	f := connect(t, s.URL)
	for _, step := range []struct {
		pass time.Duration
		want int
	}{{0, 1}, {54 * time.Minute, 1}, {2 * time.Minute, 2}, {time.Minute, 2}} {
		f.clock.advance(step.pass)
		if err := f.Do(t.Context(), get("/x"), nil); err != nil || f.tokens.count() != step.want {
			t.Errorf("after %s more: %v, %d sign-ins, want %d", step.pass, err, f.tokens.count(), step.want)
		}
	}
}

func TestShortTokensAreKeptForHalfTheirLife(t *testing.T) {
	s := serve(t, ok(`{}`), ok(`{}`), ok(`{}`))
	f := connect(t, s.URL)
	f.tokens.life = time.Minute
	for _, want := range []int{1, 1, 2} {
		if err := f.Do(t.Context(), get("/x"), nil); err != nil || f.tokens.count() != want {
			t.Errorf("%v, %d sign-ins, want %d", err, f.tokens.count(), want)
		}
		f.clock.advance(20 * time.Second)
	}
}

func TestRefusedTokenIsRenewedOnce(t *testing.T) {
	refuse := status(401, `{"error":{"code":"InvalidAuthenticationToken","message":"expired"}}`)
	s := serve(t, refuse, ok(`{}`), refuse, refuse)
	f := connect(t, s.URL)
	if err := f.Do(t.Context(), post("/x", map[string]int{"a": 1}), nil); err != nil {
		t.Errorf("a write with a token that had just expired: %v", err)
	}
	wantCode(t, f.Do(t.Context(), post("/x", nil), nil), fault.TenantCredentialsRefused)
	log := s.log()
	if len(log) != 4 || f.tokens.count() != 3 {
		t.Fatalf("%d requests, %d sign-ins", len(log), f.tokens.count())
	}
	if log[1].body != `{"a":1}` || log[1].header.Get("Authorization") != "Bearer token-2" {
		t.Errorf("the second try: %+v", log[1])
	}
	if len(f.gate.taken) != 4 {
		t.Errorf("the gate was asked %d times, want for each try", len(f.gate.taken))
	}
}

func TestOneSignInServesAllWhoWait(t *testing.T) {
	const callers = 20
	var answers []http.HandlerFunc
	for range callers {
		answers = append(answers, ok(`{}`))
	}
	s := serve(t, answers...)
	begun := make(chan struct{})
	release := make(chan struct{})
	source := &tokens{life: time.Hour, now: time.Now}
	f := connect(t, s.URL, func(c *graph.Config) {
		c.Now = time.Now
		c.Tokens = graph.TokenFunc(func(ctx context.Context) (graph.Token, error) {
			close(begun) // a second sign-in would panic here
			<-release
			return source.Token(ctx)
		})
	})
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			if err := f.Do(t.Context(), get("/x"), nil); err != nil {
				t.Error(err)
			}
		})
	}
	<-begun
	impatient, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.Do(impatient, get("/x"), nil); !fault.IsCancel(err) {
		t.Errorf("a caller that gave up: %v", err)
	}
	close(release)
	wg.Wait()
	if source.count() != 1 {
		t.Errorf("%d sign-ins", source.count())
	}
}

func secret(s string) func() (hwhash.Secret, error) {
	return func() (hwhash.Secret, error) { return hwhash.NewSecret(s), nil }
}

func TestClientSecretSignIn(t *testing.T) {
	s := serve(t, ok(`{"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,"access_token":"abc"}`))
	source := graph.ClientSecret{
		Login: s.URL, Tenant: "t-1", ClientID: "c-1", Secret: secret("p&ss wörd"),
		Now: func() time.Time { return start },
	}
	token, err := source.Token(t.Context())
	if err != nil || token.Value.Reveal() != "abc" || !token.Expires.Equal(start.Add(3599*time.Second)) {
		t.Fatalf("%v %v", token.Expires, err)
	}
	x := s.log()[0]
	form, err := url.ParseQuery(x.body)
	want := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {"c-1"}, "client_secret": {"p&ss wörd"},
		"scope": {"https://graph.microsoft.com/.default"},
	}
	if err != nil || x.uri != "/t-1/oauth2/v2.0/token" || form.Encode() != want.Encode() {
		t.Errorf("asked %s %s (%v)", x.uri, x.body, err)
	}
	if x.header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		t.Errorf("content type %q", x.header.Get("Content-Type"))
	}
}

func TestClientSecretRefusals(t *testing.T) {
	invalid := `{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided: s3cret for app","error_codes":[7000215]}`
	tests := map[string]struct {
		answer http.HandlerFunc
		want   fault.Code
		text   string
	}{
		"wrong secret":   {status(401, invalid), fault.TenantSecretInvalid, "AADSTS7000215"},
		"expired secret": {status(401, `{"error_description":"AADSTS7000222: keys for app 's3cret' are expired"}`), fault.TenantSecretExpired, "AADSTS7000222"},
		"unknown tenant": {status(400, `{"error":"invalid_request","error_description":"AADSTS90002: Tenant"}`), fault.TenantNotInEntra, "AADSTS90002"},
		"unknown app":    {status(400, `{"error_description":"AADSTS700016: Application"}`), fault.TenantAppNotFound, "AADSTS700016"},
		"something else": {status(401, `{"error_description":"AADSTS7000112: disabled"}`), fault.TenantCredentialsRefused, "AADSTS7000112"},
		"busy":           {status(429, "", "Retry-After", "3"), fault.GraphUnavailable, "429"},
		"down":           {status(503, "<html>"), fault.GraphUnavailable, "503"},
		"gone":           {hangUp, fault.GraphUnavailable, "could not be asked"},
		"no token":       {ok(`{"expires_in":5}`), fault.GraphUnavailable, "no token"},
		"no JSON":        {ok(`abc`), fault.GraphUnavailable, "no token"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := serve(t, tt.answer)
			source := graph.ClientSecret{Login: s.URL, Tenant: "t", ClientID: "c", Secret: secret("s3cret")}
			f := connect(t, s.URL, func(c *graph.Config) { c.Tokens = source })
			err := f.Do(t.Context(), post("/x", nil), nil)
			wantCode(t, err, tt.want)
			if text := err.Error(); !strings.Contains(text, tt.text) || strings.Contains(text, "s3cret") {
				t.Errorf("error %q", text)
			}
			if len(s.log()) != 1 {
				t.Errorf("%d requests: a refused sign-in must send nothing else", len(s.log()))
			}
		})
	}
	unreadable := graph.ClientSecret{
		Secret: func() (hwhash.Secret, error) { return hwhash.Secret{}, errors.New("no file") },
	}
	_, err := unreadable.Token(t.Context())
	wantCode(t, err, fault.TenantCredentialsUnreadable)
}

type credential struct {
	token string
	err   error
	scope *[]string
}

func (c credential) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	*c.scope = o.Scopes
	return azcore.AccessToken{Token: c.token, ExpiresOn: start.Add(time.Hour)}, c.err
}

func TestCredentialOfAzidentity(t *testing.T) {
	var scopes []string
	said := func(code int, description string) error {
		return &azidentity.AuthenticationFailedError{RawResponse: &http.Response{
			StatusCode: code, Body: io.NopCloser(strings.NewReader(`{"error_description":"` + description + `"}`)),
			Request: &http.Request{URL: &url.URL{}},
		}}
	}
	refusal := func(code int) error { return said(code, "") }
	for name, tt := range map[string]struct {
		made, given error
		want        fault.Code
	}{
		"good":        {nil, nil, fault.CodeUnknown},
		"unreadable":  {errors.New("no PEM data"), nil, fault.TenantCredentialsUnreadable},
		"refused":     {nil, refusal(401), fault.TenantCredentialsRefused},
		"expired":     {nil, said(401, "AADSTS7000222: expired"), fault.TenantSecretExpired},
		"unavailable": {nil, refusal(503), fault.GraphUnavailable},
		"unreachable": {nil, errors.New("dial"), fault.GraphUnavailable},
	} {
		source := graph.FromCredential("scope/.default", func() (azcore.TokenCredential, error) {
			return credential{"abc", tt.given, &scopes}, tt.made
		})
		token, err := source.Token(t.Context())
		if fault.CodeOf(err) != tt.want || (err == nil) != (token.Value.Reveal() == "abc") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(scopes) != 1 || scopes[0] != "scope/.default" {
		t.Errorf("scopes %v", scopes)
	}
}
