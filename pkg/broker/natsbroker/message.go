package natsbroker

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"taxiway.example/pkg/broker"
)

// Headers. Those of the message are CloudEvents attributes and get the prefix of the NATS protocol binding; the others are
// ours. nats.Header is case-sensitive and so are we: the maps are used directly.
const (
	prefixCE = "ce-"

	headerID           = "taxiway-id"
	headerType         = "taxiway-type"
	headerTenant       = "taxiway-tenant"
	headerAttempt      = "taxiway-attempt"
	headerNotBefore    = "taxiway-not-before"
	headerPublished    = "taxiway-published" // when the first attempt was stored
	headerSubscription = "taxiway-subscription"
	headerDurable      = "taxiway-durable"
	headerReason       = "taxiway-reason"
	headerDetail       = "taxiway-detail"
	headerDeadAt       = "taxiway-dead-at"
)

// encode returns the message for a subject. The dedupe id is what the server remembers; "" means no deduplication.
func encode(m broker.Message, subject, dedupe string) *nats.Msg {
	h := make(nats.Header, len(m.Headers)+6)
	for name, value := range m.Headers {
		set(h, prefixCE+name, value)
	}
	set(h, headerID, m.ID)
	set(h, headerType, m.Type)
	set(h, headerTenant, m.Tenant)
	if !m.NotBefore.IsZero() {
		set(h, headerNotBefore, stamp(m.NotBefore))
	}
	if dedupe != "" {
		h[jetstream.MsgIDHeader] = []string{dedupe}
	}
	return &nats.Msg{Subject: subject, Header: h, Data: m.Body}
}

// decode reads what encode wrote. What is missing or strange stays zero or is derived: foreign messages reach the handler,
// which decides.
func (n names) decode(h nats.Header, subject string, body []byte) broker.Message {
	m := broker.Message{
		ID:        get(h, headerID),
		Type:      get(h, headerType),
		Tenant:    get(h, headerTenant),
		Headers:   map[string]string{},
		Body:      body,
		NotBefore: parseStamp(get(h, headerNotBefore)),
	}
	for name := range h {
		if attr, ours := strings.CutPrefix(name, prefixCE); ours {
			m.Headers[attr] = get(h, name)
		}
	}
	for _, other := range []string{m.Headers["id"], get(h, jetstream.MsgIDHeader)} {
		if m.ID == "" && broker.ValidID(other) {
			m.ID = other
		}
	}
	if m.Type == "" {
		m.Type = n.typeOf(subject)
	}
	return m
}

func set(h nats.Header, name, value string) { h[name] = []string{escape(value)} }

func get(h nats.Header, name string) string {
	values := h[name]
	if len(values) == 0 {
		return ""
	}
	plain, err := url.PathUnescape(values[0])
	if err != nil {
		return values[0] // written by somebody who does not escape
	}
	return plain
}

// escape writes a header value as the CloudEvents bindings demand it: everything but printable ASCII, and blank, quotation
// mark and percent sign, is percent-encoded.
func escape(s string) string {
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || c == '"' || c == '%' {
			b.WriteByte('%')
			b.WriteByte(hexDigits[c>>4])
			b.WriteByte(hexDigits[c&15])
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func attempt(h nats.Header) int {
	n, err := strconv.Atoi(get(h, headerAttempt))
	if err != nil || n < 1 {
		return 1
	}
	return n
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func parseStamp(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}
	}
	return t
}
