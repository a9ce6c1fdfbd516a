package graph

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"golang.org/x/sync/singleflight"

	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/hwhash"
)

// Token is an access token. Its value does not print.
type Token struct {
	Value   hwhash.Secret
	Expires time.Time
}

// TokenSource signs in. It returns a fresh token on every call; the client caches. Errors are faults:
// fault.TenantCredentialsRefused, or one that says more (TenantNotInEntra, TenantAppNotFound, TenantSecretInvalid,
// TenantSecretExpired); fault.TenantCredentialsUnreadable when there is nothing to sign in with; fault.GraphUnavailable
// when Entra could not be asked.
type TokenSource interface {
	Token(ctx context.Context) (Token, error)
}

// TokenFunc is a function that is a TokenSource.
type TokenFunc func(context.Context) (Token, error)

// Token calls f.
func (f TokenFunc) Token(ctx context.Context) (Token, error) { return f(ctx) }

// FromCredential makes an azidentity credential a TokenSource. The credential is made anew for each token, because it
// has a cache of its own that would hand out a token that was just refused, and so that a renewed certificate is read
// again.
func FromCredential(scope string, credential func() (azcore.TokenCredential, error)) TokenSource {
	return TokenFunc(func(ctx context.Context) (Token, error) {
		cred, err := credential()
		if err != nil {
			return Token{}, asFault(err, fault.TenantCredentialsUnreadable, "the credential cannot be read")
		}
		t, err := cred.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{scope}})
		if err != nil {
			return Token{}, signInFailed(err)
		}
		return Token{Value: hwhash.NewSecret(t.Token), Expires: t.ExpiresOn}, nil
	})
}

// signInFailed tells a refusal, which somebody must mend, from an Entra that could not be asked.
func signInFailed(err error) error {
	failed, ok := errors.AsType[*azidentity.AuthenticationFailedError](err)
	if ok && failed.RawResponse != nil && refusesSignIn(failed.RawResponse.StatusCode) {
		text := err.Error() // holds Entra's description
		return fault.Wrap(err, refusalOf(text), strings.TrimSpace("Entra refused the sign-in "+aadsts(text)))
	}
	return fault.Wrap(err, fault.GraphUnavailable, "Entra could not be asked for a token")
}

// refusesSignIn reports whether a status of the token endpoint means that asking again is of no use.
func refusesSignIn(status int) bool {
	return status >= 400 && status < 500 && status != http.StatusRequestTimeout && status != http.StatusTooManyRequests
}

const (
	renewBefore = 5 * time.Minute // before it expires a token is renewed; at half its life if it is short
	signInLimit = time.Minute     // how long one sign-in may take
)

// tokenCache keeps one token and lets one sign-in run at a time, whoever waits for it.
type tokenCache struct {
	source TokenSource
	now    func() time.Time
	flight singleflight.Group

	mu    sync.Mutex
	token Token
	renew time.Time // from when on the token is renewed
}

// get returns the cached token, or a new one. A sign-in outlives the caller that started it, for others may wait for
// it.
func (c *tokenCache) get(ctx context.Context) (Token, error) {
	if t, ok := c.cached(); ok {
		return t, nil
	}
	ch := c.flight.DoChan("", func() (any, error) {
		if t, ok := c.cached(); ok {
			return t, nil
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), signInLimit)
		defer cancel()
		return c.signIn(ctx)
	})
	select {
	case r := <-ch:
		t, _ := r.Val.(Token)
		return t, r.Err
	case <-ctx.Done():
		return Token{}, ctx.Err()
	}
}

func (c *tokenCache) signIn(ctx context.Context) (Token, error) {
	t, err := c.source.Token(ctx)
	if err != nil {
		return Token{}, asFault(err, fault.GraphUnavailable, "Entra could not be asked for a token")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	c.token = t
	c.renew = t.Expires.Add(-min(renewBefore, t.Expires.Sub(now)/2))
	return t, nil
}

func (c *tokenCache) cached() (Token, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.token, !c.token.Value.IsZero() && c.now().Before(c.renew)
}

// drop forgets a token that was refused, unless somebody has renewed it meanwhile.
func (c *tokenCache) drop(t Token) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token.Value == t.Value {
		c.token = Token{}
	}
}

// authPolicy puts the token on each try. A refused token is renewed once; a second refusal stands.
type authPolicy struct{ tokens *tokenCache }

// Do sends the request with a token.
func (p *authPolicy) Do(req *policy.Request) (*http.Response, error) {
	ctx := req.Raw().Context()
	t, err := p.tokens.get(ctx)
	if err != nil {
		return nil, err
	}
	resp, err := sendWith(req, t)
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		return resp, err
	}
	p.tokens.drop(t)
	runtime.Drain(resp)
	callOf(ctx).sent.Store(false) // refused before it was sent
	if t, err = p.tokens.get(ctx); err != nil {
		return nil, err
	}
	if err := req.RewindBody(); err != nil {
		return nil, err
	}
	return sendWith(req, t)
}

func sendWith(req *policy.Request, t Token) (*http.Response, error) {
	req.Raw().Header.Set("Authorization", "Bearer "+t.Value.Reveal())
	return req.Next()
}
