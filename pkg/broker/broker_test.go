package broker_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/fault"
)

func TestOutcomeOf(t *testing.T) {
	t.Parallel()
	stopped, stop := context.WithCancel(t.Context())
	stop()
	broken := fault.New(fault.MessageMalformed, "no JSON")
	tests := map[string]struct {
		ctx  context.Context
		err  error
		want broker.Outcome
	}{
		"nil":                   {t.Context(), nil, broker.Outcome{Verb: broker.Ack}},
		"retry":                 {t.Context(), broker.Retry(time.Minute, broken), broker.Outcome{Verb: broker.Again, After: time.Minute}},
		"retry of the past":     {t.Context(), broker.Retry(-1, broken), broker.Outcome{Verb: broker.Again}},
		"dead letter":           {t.Context(), broker.DeadLetter(broken), broker.Outcome{Verb: broker.Park, Reason: "message.malformed", Detail: "no JSON"}},
		"wrapped":               {t.Context(), fmt.Errorf("so: %w", broker.DeadLetter(broken)), broker.Outcome{Verb: broker.Park, Reason: "message.malformed", Detail: "no JSON"}},
		"plain":                 {t.Context(), broken, broker.Outcome{Verb: broker.Again, After: broker.DefaultRetry}},
		"canceled by itself":    {t.Context(), context.Canceled, broker.Outcome{Verb: broker.Again, After: broker.DefaultRetry}},
		"told to stop":          {stopped, fmt.Errorf("so: %w", context.Canceled), broker.Outcome{Verb: broker.Release}},
		"decided when told to":  {stopped, broker.Retry(1, context.Canceled), broker.Outcome{Verb: broker.Again, After: 1}},
		"plain when told to":    {stopped, errors.New("x"), broker.Outcome{Verb: broker.Again, After: broker.DefaultRetry}},
		"done when told to":     {stopped, nil, broker.Outcome{Verb: broker.Ack}},
		"dead when told to":     {stopped, broker.DeadLetter(broken), broker.Outcome{Verb: broker.Park, Reason: "message.malformed", Detail: "no JSON"}},
		"dead letter, no fault": {t.Context(), broker.DeadLetter(errors.New("secret")), broker.Outcome{Verb: broker.Park, Reason: "internal.unknown"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, broker.OutcomeOf(tc.ctx, tc.err)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMessageCheck(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		damage func(*broker.Message)
		code   fault.Code
	}{
		"no id":          {func(m *broker.Message) { m.ID = "" }, fault.MessageMalformed},
		"blank in id":    {func(m *broker.Message) { m.ID = "a b" }, fault.MessageMalformed},
		"long id":        {func(m *broker.Message) { m.ID = strings.Repeat("x", broker.MaxID+1) }, fault.MessageMalformed},
		"no type":        {func(m *broker.Message) { m.Type = "" }, fault.MessageMalformed},
		"wild type":      {func(m *broker.Message) { m.Type = "a.*" }, fault.MessageMalformed},
		"empty word":     {func(m *broker.Message) { m.Type = "a..b" }, fault.MessageMalformed},
		"header name":    {func(m *broker.Message) { m.Headers = map[string]string{"A": ""} }, fault.MessageMalformed},
		"header value":   {func(m *broker.Message) { m.Headers = map[string]string{"a": "\xff"} }, fault.MessageMalformed},
		"headers":        {func(m *broker.Message) { m.Headers = map[string]string{"a": strings.Repeat("x", broker.MaxHeaders)} }, fault.MessageTooLarge},
		"body":           {func(m *broker.Message) { m.Body = make([]byte, broker.MaxBody+1) }, fault.MessageTooLarge},
		"tenant":         {func(m *broker.Message) { m.Tenant = "\xff" }, fault.MessageMalformed},
		"nothing at all": {func(m *broker.Message) { *m = broker.Message{} }, fault.MessageMalformed},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := broker.Message{ID: "1", Type: "a.b-c.v1", Tenant: "Čeština", Headers: map[string]string{"a-1": "x\r\ny"}, Body: make([]byte, broker.MaxBody)}
			if err := m.Check(); err != nil {
				t.Fatal(err)
			}
			tc.damage(&m)
			if err := m.Check(); fault.CodeOf(err) != tc.code {
				t.Errorf("got %v, want %s", err, tc.code)
			}
		})
	}
}

func TestSubscription(t *testing.T) {
	t.Parallel()
	for typ, want := range map[string]string{"a.b": "a.b", "a.*": "a.b a.bc a.b.c", "a.b.*": "a.b.c"} {
		var got []string
		for _, m := range []string{"a", "a.b", "a.bc", "a.b.c", "b"} {
			if (broker.Subscription{Type: typ}).Matches(m) {
				got = append(got, m)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s matches %v, want %s", typ, got, want)
		}
	}
	for _, bad := range []broker.Subscription{{}, {Name: "A", Type: "a"}, {Name: "a", Type: "*"}, {Name: "a", Type: "a", Lease: -1}} {
		if _, err := bad.Normal(); fault.CodeOf(err) != fault.MessageMalformed {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if s, err := (broker.Subscription{Name: "a", Type: "a.*"}).Normal(); err != nil || s.Concurrency != 1 || s.Lease != broker.DefaultLease {
		t.Errorf("%+v %v", s, err)
	}
}
