package natsbroker

import (
	"net/url"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/adapter"
)

// prefixCE is what the headers of a message, which are CloudEvents attributes, get from the NATS protocol binding.
// nats.Header is case-sensitive and so are we: the maps are used directly.
const prefixCE = "ce-"

// encode returns the message for a subject. The dedupe id is what the server remembers; "" means no deduplication.
func encode(d broker.Delivery, subject, dedupe string) *nats.Msg {
	h := make(nats.Header, len(d.Headers)+6)
	for name, value := range d.Headers {
		set(h, prefixCE+name, value)
	}
	for name, value := range adapter.Properties(d) {
		set(h, name, value)
	}
	if dedupe != "" {
		h[jetstream.MsgIDHeader] = []string{dedupe}
	}
	return &nats.Msg{Subject: subject, Header: h, Data: d.Body}
}

// decode reads what encode wrote, and what other programs did.
func decode(h nats.Header, body []byte, typ string, lane broker.Lane) broker.Delivery {
	headers := map[string]string{}
	for name := range h {
		if attr, ours := strings.CutPrefix(name, prefixCE); ours {
			headers[attr] = get(h, name)
		}
	}
	d := adapter.Read(func(name string) string { return get(h, name) }, headers, get(h, jetstream.MsgIDHeader))
	d.Type = typ
	d.Lane = lane
	d.Body = body
	return d
}

func set(h nats.Header, name, value string) { h[name] = []string{escape(value)} }

func get(h nats.Header, name string) string {
	values := h[name]
	if len(values) == 0 {
		return ""
	}
	plain, err := url.PathUnescape(values[0])
	if err != nil {
		return values[0] // written by a program that does not escape
	}
	return plain
}

// escape writes a header value as the CloudEvents bindings demand it: everything but printable ASCII, and blank,
// quotation mark and percent sign, is percent-encoded.
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
