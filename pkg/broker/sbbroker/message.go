package sbbroker

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"taxiway.example/pkg/broker"
)

// Application properties. Those of the message are CloudEvents attributes with the prefix of the AMQP protocol binding, which
// also knows an older one; the others are ours.
const (
	prefixCE    = "cloudEvents_"
	prefixOldCE = "cloudEvents:"
	attrContent = "datacontenttype" // travels as the content-type of AMQP

	propID        = "taxiway-id"
	propTenant    = "taxiway-tenant"
	propAttempt   = "taxiway-attempt"
	propNotBefore = "taxiway-not-before"
	propPublished = "taxiway-published" // when the first attempt was stored
	propTo        = "taxiway-to"        // the one subscription a copy is for
	propDeadAt    = "taxiway-dead-at"
	propSequence  = "taxiway-sequence" // of the message to which a consumer of ours added the others
)

// encode returns the message for the topic of its type.
func (b *Broker) encode(m broker.Message) *azservicebus.Message {
	id, subject := m.ID, m.Type
	out := &azservicebus.Message{
		MessageID: &id, Subject: &subject, Body: m.Body,
		ApplicationProperties: make(map[string]any, len(m.Headers)+4),
	}
	for name, value := range m.Headers {
		if name == attrContent && printable(value) { // the content-type of AMQP is a symbol
			out.ContentType = &value
			continue
		}
		out.ApplicationProperties[prefixCE+name] = value
	}
	out.ApplicationProperties[propID] = m.ID
	if m.Tenant != "" {
		out.ApplicationProperties[propTenant] = m.Tenant
	}
	if !m.NotBefore.IsZero() {
		out.ApplicationProperties[propNotBefore] = stamp(m.NotBefore)
		if at := m.NotBefore.UTC(); at.After(b.Now()) {
			out.ScheduledEnqueueTime = &at
		}
	}
	return out
}

// address makes a copy of a message one for a single subscription. Its id can be nobody else's, because ids hold no blanks,
// and is the same when the copy is made again.
func address(out *azservicebus.Message, to source, id string, attempt int) {
	sum := sha256.Sum256([]byte(to.name))
	copyID := fmt.Sprintf("%s %s~%d", id, hex.EncodeToString(sum[:6]), attempt)
	out.MessageID = &copyID
	out.ApplicationProperties[propTo] = to.name
	if attempt > 1 {
		out.ApplicationProperties[propAttempt] = strconv.Itoa(attempt)
	}
}

// decode reads what encode wrote. What is missing or strange stays zero or is derived: foreign messages reach the handler,
// which decides.
func (t Topology) decode(from source, raw *azservicebus.ReceivedMessage) broker.Message {
	if from.foreign {
		return t.decodeForeign(from, raw)
	}
	m := broker.Message{Type: from.typ, Headers: map[string]string{}, Body: body(raw)}
	for name, value := range raw.ApplicationProperties {
		attr, ok := strings.CutPrefix(name, prefixCE)
		if !ok {
			attr, ok = strings.CutPrefix(name, prefixOldCE)
		}
		if ok {
			m.Headers[attr] = text(value)
		}
	}
	if raw.ContentType != nil {
		m.Headers[attrContent] = *raw.ContentType
	}
	m.ID = prop(raw, propID)
	for _, other := range []string{m.Headers["id"], raw.MessageID} {
		if m.ID == "" && broker.ValidID(other) {
			m.ID = other
		}
	}
	if m.ID == "" {
		m.ID = "seq-" + sequence(raw)
	}
	m.Tenant = prop(raw, propTenant)
	m.NotBefore = parseStamp(prop(raw, propNotBefore))
	return m
}

// body returns the bytes of a message: of all its data sections, or of a value that is text or bytes.
func body(raw *azservicebus.ReceivedMessage) []byte {
	if raw.Body != nil || raw.RawAMQPMessage == nil {
		return raw.Body
	}
	switch v := raw.RawAMQPMessage.Body.Value.(type) {
	case []byte:
		return v
	case string:
		return []byte(v)
	}
	return bytes.Join(raw.RawAMQPMessage.Body.Data, nil)
}

func prop(raw *azservicebus.ReceivedMessage, name string) string {
	if v, ok := raw.ApplicationProperties[name]; ok {
		return text(v)
	}
	return ""
}

// text writes a property as the CloudEvents type system writes it; other programs may use AMQP's own types.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case time.Time:
		return stamp(v)
	case []byte:
		return string(v)
	}
	return fmt.Sprint(v)
}

func attempt(from source, raw *azservicebus.ReceivedMessage) int {
	n, err := strconv.Atoi(prop(raw, propAttempt))
	if err != nil || n < 1 || !ours(from, raw) {
		return 1
	}
	return n
}

func published(from source, raw *azservicebus.ReceivedMessage) time.Time {
	if t := parseStamp(prop(raw, propPublished)); !from.foreign && !t.IsZero() {
		return t
	}
	if raw.EnqueuedTime == nil {
		return time.Time{}
	}
	return raw.EnqueuedTime.UTC()
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return s != ""
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func parseStamp(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}
	}
	return t
}
