package sbbroker

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/adapter"
)

// Application properties, beside those that adapters share. Headers are CloudEvents attributes with the prefix of the
// AMQP protocol binding, which also knows an older one.
const (
	prefixCE    = "cloudEvents_"
	prefixOldCE = "cloudEvents:"
	attrContent = "datacontenttype" // travels as the content-type of AMQP

	propTo     = "taxiway-to" // the one subscription a copy is for
	propDeadAt = "taxiway-dead-at"
)

// encode returns the message for the topic of its type and lane.
func (b *Broker) encode(d broker.Delivery) *azservicebus.Message {
	id := d.ID
	subject := d.Type
	out := &azservicebus.Message{
		MessageID: &id, Subject: &subject, Body: d.Body,
		ApplicationProperties: make(map[string]any, len(d.Headers)+4),
	}
	for name, value := range d.Headers {
		if name == attrContent && printable(value) { // the content-type of AMQP is a symbol
			out.ContentType = &value
			continue
		}
		out.ApplicationProperties[prefixCE+name] = value
	}
	for name, value := range adapter.Properties(d) {
		out.ApplicationProperties[name] = value
	}
	if at := d.NotBefore.UTC(); at.After(b.Now()) {
		out.ScheduledEnqueueTime = &at
	}
	return out
}

// addressed returns a copy of a message for a single subscription. Its id can be no other message's, because ids hold
// no blanks, and is the same when the copy is made again.
func (b *Broker) addressed(d broker.Delivery, to source) *azservicebus.Message {
	out := b.encode(d)
	sum := sha256.Sum256([]byte(to.name))
	id := fmt.Sprintf("%s %s~%d", d.ID, hex.EncodeToString(sum[:6]), max(d.Attempt, 1))
	out.MessageID = &id
	out.ApplicationProperties[propTo] = to.name
	return out
}

// decode reads what encode wrote, and what other programs did.
func (t Topology) decode(from source, raw *azservicebus.ReceivedMessage) broker.Delivery {
	if from.foreign {
		return t.decodeForeign(from, raw)
	}
	headers := map[string]string{}
	for name, value := range raw.ApplicationProperties {
		attr, ok := strings.CutPrefix(name, prefixCE)
		if !ok {
			attr, ok = strings.CutPrefix(name, prefixOldCE)
		}
		if ok {
			headers[attr] = text(value)
		}
	}
	if raw.ContentType != nil {
		headers[attrContent] = *raw.ContentType
	}
	d := adapter.Read(func(name string) string { return prop(raw, name) }, headers, raw.MessageID)
	d.ID = cmp.Or(d.ID, "seq-"+sequence(raw))
	d.Type = from.typ
	d.Lane = from.lane
	d.Body = body(raw)
	if d.Published.IsZero() {
		d.Published = enqueued(raw)
	}
	return d
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
	return text(raw.ApplicationProperties[name])
}

// text writes a property as the CloudEvents type system writes it; other programs may use AMQP's own types.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case time.Time:
		return adapter.Stamp(v)
	case []byte:
		return string(v)
	}
	return fmt.Sprint(v)
}

func sequence(raw *azservicebus.ReceivedMessage) string {
	if raw.SequenceNumber == nil {
		return ""
	}
	return strconv.FormatInt(*raw.SequenceNumber, 10)
}

func enqueued(raw *azservicebus.ReceivedMessage) time.Time {
	if raw.EnqueuedTime == nil {
		return time.Time{}
	}
	return raw.EnqueuedTime.UTC()
}

func printable(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}
