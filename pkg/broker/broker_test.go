package broker_test

import (
	"errors"
	"strings"
	"testing"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/fault"
)

func TestOutcomes(t *testing.T) {
	t.Parallel()
	secret := errors.New("secret")
	for name, tc := range map[string]struct{ got, want broker.Outcome }{
		"nothing decided":      {broker.Outcome{}, broker.Release()},
		"retry of the past":    {broker.RetryAfter(-1), broker.RetryAfter(0)},
		"dead letter":          {broker.DeadLetter(fault.New(fault.MessageMalformed, "no JSON")), broker.Outcome{Action: broker.ActionDeadLetter, Reason: "message.malformed", Detail: "no JSON"}},
		"dead letter, wrapped": {broker.DeadLetter(fault.Wrap(secret, fault.MessageMalformed, "no JSON")), broker.Outcome{Action: broker.ActionDeadLetter, Reason: "message.malformed", Detail: "no JSON"}},
		"dead letter, unknown": {broker.DeadLetter(secret), broker.Outcome{Action: broker.ActionDeadLetter, Reason: "internal.unknown"}},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: got %+v, want %+v", name, tc.got, tc.want)
		}
	}
	if broker.Release() == broker.Acknowledge() {
		t.Error("nothing decided is taken for done")
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
			m := broker.Message{
				ID:      "1",
				Type:    "a.b-c.v1",
				Tenant:  "Čeština",
				Headers: map[string]string{"a-1": "x\r\ny"},
				Body:    make([]byte, broker.MaxBody),
			}
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
	for _, bad := range []broker.Subscription{{}, {Name: "A", Type: "a"}, {Name: "a", Type: "*"}, {Name: "a", Type: "a.*"}, {Name: "a", Type: "a", Lease: -1}} {
		if _, err := bad.Normal(); fault.CodeOf(err) != fault.MessageMalformed {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if s, err := (broker.Subscription{Name: "a", Type: "a.b"}).Normal(); err != nil || s.Concurrency != 1 ||
		s.Lease != broker.DefaultLease {
		t.Errorf("%+v %v", s, err)
	}
}
