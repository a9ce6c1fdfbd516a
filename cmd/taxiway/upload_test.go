package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"taxiway.example/pkg/api"
	"taxiway.example/pkg/api/client"
	"taxiway.example/pkg/fault"
)

// submitTo sends a file of two lines, or standard input, to a server with this handler; it returns the exit code and
// what was written to standard error.
func submitTo(ctx context.Context, t *testing.T, h http.HandlerFunc, fromStdin bool) (int, string) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	dir := t.TempDir()
	key := filepath.Join(dir, "key")
	file := filepath.Join(dir, "list.csv")
	for name, content := range map[string]string{key: "taxiway_k", file: "head\nrow\n"} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if fromStdin {
		file = "-"
	}
	var stderr bytes.Buffer
	root := newRoot(stdio{in: strings.NewReader("head\nrow\n"), out: io.Discard, err: &stderr})
	root.SetArgs([]string{"submit", "--server", server.URL, "--key-file", key, file})
	code := exitCode(&stderr, root.ExecuteContext(ctx))
	return code, stderr.String()
}

// Ctrl-C ends the context with the signal as its cause.
func TestAnInterruptedUploadSaysWhatToDo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		stdin bool
		want  string
	}{
		"a file":         {false, "taxiway: the upload was interrupted; send the same file again: nothing is taken twice\n"},
		"standard input": {true, "taxiway: the upload was interrupted; sent again it is another batch, in which devices taken in before are duplicates\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, stop := context.WithCancelCause(t.Context())
			code, stderr := submitTo(ctx, t, func(_ http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				stop(errors.New("interrupt signal received"))
				<-r.Context().Done()
			}, c.stdin)
			if code != exitCancelled || stderr != c.want {
				t.Errorf("exit code %d, %q", code, stderr)
			}
		})
	}
}

// stillHeld answers that the key is still held by an upload that broke off.
func stillHeld(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Retry-After", "1")
	w.WriteHeader(http.StatusConflict)
	_, _ = io.WriteString(w, `{"status":409,"code":"request.in_progress","title":"Still at work."}`)
}

func TestAFileIsSentAgainWhenTheServerAsksForPatience(t *testing.T) {
	t.Parallel()
	var bodies, keys []string
	code, stderr := submitTo(t.Context(), t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies = append(bodies, string(body))
		keys = append(keys, r.Header.Get("Idempotency-Key"))
		if len(bodies) == 1 {
			stillHeld(w)
			return
		}
		_, _ = io.WriteString(w, `{"id":"b","rows":1}`)
	}, false)
	if diff := cmp.Diff([]string{"head\nrow\n", "head\nrow\n"}, bodies); diff != "" || keys[0] != keys[1] ||
		keys[0] == "" {
		t.Errorf("keys %v, %s", keys, diff)
	}
	if want := "Waiting to send the file again. request.in_progress: Still at work.\n"; code != exitOK ||
		stderr != want {
		t.Errorf("exit code %d, %q", code, stderr)
	}
}

func TestStandardInputIsNotSentAgain(t *testing.T) {
	t.Parallel()
	code, stderr := submitTo(t.Context(), t, func(w http.ResponseWriter, _ *http.Request) { stillHeld(w) }, true)
	if code != exitFailed || !strings.Contains(stderr, "request.in_progress") || strings.Contains(stderr, "Waiting") {
		t.Errorf("exit code %d, %q", code, stderr)
	}
}

func TestPatienceEnds(t *testing.T) {
	t.Parallel()
	problem := func(status int, code fault.Code, after time.Duration) error {
		return &client.Problem{Problem: api.Problem{Status: status, Code: code, Title: "T."}, RetryAfter: after}
	}
	held := problem(http.StatusConflict, fault.RequestInProgress, time.Second)
	for name, c := range map[string]struct {
		errs   []error // one for each time it is sent; the last one stands
		sent   int
		waited time.Duration
		said   string
	}{
		"when it was taken in":          {[]error{held, held, nil}, 3, 2 * time.Second, "request.in_progress"},
		"when it is refused for good":   {[]error{held, problem(http.StatusUnprocessableEntity, fault.RequestConflict, 0)}, 2, time.Second, "request.in_progress"},
		"when the server is not there":  {[]error{&client.Unreachable{Err: io.EOF}}, 1, 0, ""},
		"when it takes too long":        {[]error{problem(http.StatusTooManyRequests, fault.RequestRateLimited, 50*time.Second)}, 3, 100 * time.Second, "request.rate_limited"},
		"when the wait would be longer": {[]error{problem(http.StatusServiceUnavailable, fault.LedgerUnavailable, time.Hour)}, 1, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var said strings.Builder
				sent := 0
				began := time.Now()
				_, err := patiently(t.Context(), &said, func() (api.Receipt, error) {
					sent++
					return api.Receipt{}, c.errs[min(sent, len(c.errs))-1]
				})
				if last := c.errs[len(c.errs)-1]; !errors.Is(err, last) {
					t.Errorf("%v instead of %v", err, last)
				}
				want := ""
				if c.said != "" {
					want = fmt.Sprintf("Waiting to send the file again. %s: T.\n", c.said)
				}
				if waited := time.Since(began); sent != c.sent || waited != c.waited ||
					said.String() != want { // the clock of the bubble
					t.Errorf("sent %d times in %s: %q", sent, waited, &said)
				}
			})
		})
	}
}

// A wait of almost a minute, which is how long a server may hold a key, is outlived.
func TestPatienceLastsLongerThanAServerHoldsAKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		free := time.Now().Add(time.Minute)
		sent := 0
		_, err := patiently(t.Context(), io.Discard, func() (api.Receipt, error) {
			if sent++; time.Now().Before(free) {
				return api.Receipt{}, &client.Problem{
					Problem:    api.Problem{Status: http.StatusConflict, Code: fault.RequestInProgress},
					RetryAfter: time.Second,
				}
			}
			return api.Receipt{}, nil
		})
		if err != nil || sent > 15 {
			t.Errorf("%v after %d times", err, sent)
		}
	})
}
