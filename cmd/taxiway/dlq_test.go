package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"taxiway.example/pkg/api"
	"taxiway.example/pkg/api/client"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
)

func id(n int) string { return fmt.Sprintf("0199a2c4-0000-7000-8000-%012d", n) }

func TestDeadLettersFitOnAPage(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 15, 3, 0, 0, 0, time.UTC)
	long := strings.Repeat("A word and another one, then a device: "+id(7)+". ", 3)
	v := deadLetterList{DeadLetters: []api.DeadLetter{
		{ID: id(1), Code: "a.code", Title: "T.", Hint: "H.", At: at, Device: id(2), From: device.Submitted, Tenant: "contoso", Attempts: 1, Detail: long},
		{ID: id(3), Code: "b.code", Title: long, Hint: long, At: at, Message: id(4), Subscription: "importer", Type: "devices.collected.v1", Attempts: 20},
		{ID: id(5), Code: "a.code", Title: "T.", Hint: "H.", At: at.Add(-400 * 24 * time.Hour), Message: strings.Repeat("x", 60), Subscription: "grouper", Replays: 2, Detail: "D."},
	}}
	var out strings.Builder
	if err := v.people(at.Add(3 * time.Hour))(&out); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 ||
			n > 0 && strings.HasSuffix(line, " \n") {
			t.Errorf("%d columns: %q", n, line)
		}
	}
	want := `a.code: 2 dead letters
  T.
  What to do: H.

DEAD LETTER                           AGE   DEVICE OR MESSAGE
` + id(1) + `  3h    ` + id(2) + `
    Died in submitted, tenant contoso, 1 attempt. A word and another one, then a
    device: ` + id(7) + `. A word and another one, then a`
	if !strings.HasPrefix(out.String(), want) {
		t.Error(cmp.Diff(want, out.String()))
	}
	for _, want := range []string{
		"\n" + id(5) + "  400d  message\n    " + strings.Repeat("x", 60) + "\n    Died at grouper, replayed before: 2 " +
			"times. D.\n",
		"\nb.code: 1 dead letter\n",
		"\n" + id(3) + "  3h    " + id(4) + "\n    Died at importer, devices.collected.v1, 20 attempts.\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
	if n := strings.Count(out.String(), "What to do"); n != 2 {
		t.Errorf("%d hints", n)
	}
}

func TestAges(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		-time.Minute: "0s", 59 * time.Second: "59s", 60 * time.Minute: "1h", 47*time.Hour + 59*time.Minute: "47h",
		48 * time.Hour: "2d",
	} {
		if got := age(d); got != want {
			t.Errorf("%s: %s instead of %s", d, got, want)
		}
	}
}

// deadLetterAPI has the open dead letters of codes, and replays each into an outcome.
type deadLetterAPI struct {
	codes    map[string]int // dead letters by code
	outcomes map[string]api.Replayed
	requests [][]string
}

func (d *deadLetterAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		var page struct {
			DeadLetters []api.DeadLetter `json:"deadLetters"`
		}
		q := r.URL.Query()
		for n := range d.codes[q.Get("code")] {
			if l := (api.DeadLetter{ID: id(n), Code: fault.Code(q.Get("code"))}); l.ID > q.Get("after") &&
				fmt.Sprint(len(page.DeadLetters)) != q.Get("limit") {
				page.DeadLetters = append(page.DeadLetters, l)
			}
		}
		_ = json.NewEncoder(w).Encode(page)
		return
	}
	var asked api.Replay
	var answer struct {
		Results []api.Replayed `json:"results"`
	}
	_ = json.NewDecoder(r.Body).Decode(&asked)
	d.requests = append(d.requests, asked.IDs)
	for _, id := range asked.IDs {
		result, ok := d.outcomes[id]
		if !ok {
			result = api.Replayed{Outcome: api.OutcomeReplayed}
		}
		result.ID = id
		answer.Results = append(answer.Results, result)
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// run runs taxiway against it.
func (d *deadLetterAPI) run(t *testing.T, args ...string) (code int, stdout string) {
	t.Helper()
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	var out strings.Builder
	root := newRoot(stdio{in: strings.NewReader(""), out: &out, err: io.Discard})
	root.SetArgs(append(args, "--server", server.URL, "--key-file", "testdata/key.txt"))
	return exitCode(io.Discard, root.ExecuteContext(t.Context())), out.String()
}

func TestAllDeadLettersOfACodeAreReplayed(t *testing.T) {
	t.Parallel()
	d := &deadLetterAPI{codes: map[string]int{"a.code": 1234}, outcomes: map[string]api.Replayed{
		id(7):   {Outcome: api.OutcomeFailed, Code: fault.DeviceNotReplayable, Detail: "It is not dead."},
		id(600): {Outcome: "gone", Detail: "The broker does not hold the message any more."},
	}}
	code, out := d.run(t, "dlq", "replay", "--code", "a.code", "--reason", "repaired")
	want := id(7) + "  failed    device.not_replayable\n    It is not dead.\n" +
		id(600) + "  gone\n    The broker does not hold the message any more.\n" +
		"1234 dead letters: 1232 replayed, 1 failed, 1 gone\n"
	if diff := cmp.Diff(want, out); diff != "" || code != exitPartly {
		t.Errorf("exit code %d, %s", code, diff)
	}
	seen := map[string]bool{}
	for _, ids := range d.requests {
		for _, id := range ids {
			seen[id] = true
		}
		if len(ids) > client.ReplayPage {
			t.Errorf("%d dead letters in one request", len(ids))
		}
	}
	if len(seen) != 1234 {
		t.Errorf("%d dead letters were asked for", len(seen))
	}
}

func TestReplayExitCodes(t *testing.T) {
	t.Parallel()
	gone := api.Replayed{Outcome: "gone", Code: fault.RequestNotFound}
	d := &deadLetterAPI{codes: map[string]int{"one.gone": 1}, outcomes: map[string]api.Replayed{id(0): gone}}
	for name, c := range map[string]struct {
		args []string
		want int
	}{
		"a code that no dead letter has":  {[]string{"--code", "no.code"}, exitNothing},
		"a message the broker lost":       {[]string{"--code", "one.gone"}, exitFailed},
		"one of two":                      {[]string{id(0), id(1)}, exitPartly},
		"all":                             {[]string{id(1)}, exitOK},
		"neither dead letters nor a code": {nil, exitUsage},
		"dead letters and a code":         {[]string{"--code", "one.gone", id(1)}, exitUsage},
		"a code, and a reason of blanks":  {[]string{"--code", "one.gone", "--reason", " "}, exitUsage},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := &deadLetterAPI{codes: d.codes, outcomes: d.outcomes}
			if code, out := d.run(t, append([]string{"dlq", "replay", "--reason", "why"}, c.args...)...); code != c.want {
				t.Errorf("exit code %d\n%s", code, out)
			}
		})
	}
}

// What was replayed before a listing or a request failed is said; the failure decides.
func TestAReplayThatBreaksOffShowsWhatWasDone(t *testing.T) {
	t.Parallel()
	d := &deadLetterAPI{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(d.requests) == 1 {
			panic(http.ErrAbortHandler)
		}
		d.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	c, err := client.New(server.URL, "key")
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for n := range client.ReplayPage + 1 {
		ids = append(ids, id(n))
	}
	v, err := replay(t.Context(), c, ids, "why")
	if _, ok := errors.AsType[*client.Unreachable](err); !ok || len(v.Results) != client.ReplayPage {
		t.Errorf("%d results, %v", len(v.Results), err)
	}
}
