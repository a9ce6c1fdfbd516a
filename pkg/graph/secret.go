package graph

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/hwhash"
)

// PublicLogin is the root of Entra's sign-in in the public cloud.
const PublicLogin = "https://login.microsoftonline.com"

// ClientSecret signs in with a client secret (Microsoft page "OAuth 2.0 client credentials flow on the Microsoft
// identity platform"). Unlike azidentity it also speaks plain http to the loopback interface, where the simulator
// lives.
type ClientSecret struct {
	Login    string                        // scheme and host, default PublicLogin
	Tenant   string                        // Entra tenant id
	ClientID string                        // application id
	Scope    string                        // default PublicCloud + "/.default"
	Secret   func() (hwhash.Secret, error) // read anew for each sign-in, so that a renewed secret counts at once
	HTTP     *http.Client                  // default NewHTTPClient()
	Now      func() time.Time
}

// maxToken bounds what is read of the token endpoint's answer, in bytes.
const maxToken = 64 << 10

// Token asks for a token.
func (s ClientSecret) Token(ctx context.Context) (Token, error) {
	secret, err := s.Secret()
	if err != nil {
		return Token{}, asFault(err, fault.TenantCredentialsUnreadable, "the client secret cannot be read")
	}
	origin, err := checkRoot(cmp.Or(s.Login, PublicLogin))
	if err != nil {
		return Token{}, fault.Wrap(err, fault.TenantCredentialsRefused, "the login address is not usable")
	}
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {s.ClientID}, "client_secret": {secret.Reveal()},
		"scope": {cmp.Or(s.Scope, PublicCloud+"/.default")},
	}
	address := origin + "/" + url.PathEscape(s.Tenant) + "/oauth2/v2.0/token"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return Token{}, fault.Wrap(err, fault.TenantCredentialsRefused, "the login address is not usable")
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	return s.ask(req)
}

func (s ClientSecret) ask(req *http.Request) (Token, error) {
	client := s.HTTP
	now := s.Now
	if client == nil {
		client = NewHTTPClient()
	}
	if now == nil {
		now = time.Now
	}
	start := now()
	resp, err := client.Do(req) //nolint:gosec // the address is the configured login host
	if err != nil {
		return Token{}, fault.Wrap(plain(err), fault.GraphUnavailable, "Entra could not be asked for a token")
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxToken))
	if err != nil {
		return Token{}, fault.Wrap(plain(err), fault.GraphUnavailable, "Entra's answer broke off")
	}
	if resp.StatusCode != http.StatusOK {
		return Token{}, signInRefused(resp, body, now())
	}
	return readToken(body, start)
}

func readToken(body []byte, start time.Time) (Token, error) {
	var answer struct {
		Token   string  `json:"access_token"`
		Seconds float64 `json:"expires_in"`
	}
	// The cause is left out: it may quote the token.
	if json.Unmarshal(body, &answer) != nil || answer.Token == "" {
		return Token{}, fault.New(fault.GraphUnavailable, "Entra's answer holds no token")
	}
	life := time.Duration(min(max(answer.Seconds, 0), 24*3600) * float64(time.Second))
	return Token{Value: hwhash.NewSecret(answer.Token), Expires: start.Add(life)}, nil
}

// signInRefused reads an OAuth error. Of its description only the AADSTS number is kept: the rest may quote ids and
// secrets.
func signInRefused(resp *http.Response, body []byte, now time.Time) error {
	var answer struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	_ = json.Unmarshal(body, &answer) // an answer that is no JSON still has a status
	detail := fmt.Sprintf(
		"Entra answered %d %s %s",
		resp.StatusCode,
		clip(answer.Error, 60),
		aadsts(answer.Description),
	)
	if refusesSignIn(resp.StatusCode) {
		return fault.New(refusalOf(answer.Description), strings.TrimSpace(detail))
	}
	return fault.New(fault.GraphUnavailable, strings.TrimSpace(detail)).After(retryAfter(resp.Header, now))
}

// aadsts returns the error number in an Entra error description, such as AADSTS7000215, or "".
func aadsts(description string) string { return aadstsNumber.FindString(description) }

var aadstsNumber = regexp.MustCompile(`\bAADSTS[0-9]{4,9}\b`)

// refusals are the errors of a sign-in that need something else than a new credential, or say which (Microsoft page
// "Microsoft Entra authentication and authorization error codes").
var refusals = map[string]fault.Code{
	"AADSTS90002":   fault.TenantNotInEntra,
	"AADSTS700016":  fault.TenantAppNotFound,
	"AADSTS7000215": fault.TenantSecretInvalid,
	"AADSTS7000222": fault.TenantSecretExpired,
}

func refusalOf(description string) fault.Code {
	return cmp.Or(refusals[aadsts(description)], fault.TenantCredentialsRefused)
}
