package event

import (
	"encoding/json"
	"mime"
	"strings"
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
)

// Names of the attributes: CloudEvents 1.0.2 context attributes and our extensions, without the prefix that a protocol
// binding puts before them ("ce-" in NATS, "cloudEvents_" in AMQP).
const (
	AttrSpecVersion     = "specversion"
	AttrID              = "id"
	AttrSource          = "source"
	AttrType            = "type"
	AttrTime            = "time"
	AttrSubject         = "subject"
	AttrDataContentType = "datacontenttype"
	AttrTenant          = "tenantid"
	AttrBatch           = "batchid"
	AttrTrace           = "traceparent"
	AttrReplayOf        = "replayof"
)

const (
	specVersion = "1.0"
	jsonType    = "application/json"
)

// MaxBody is the largest body, in bytes, that Decode reads; the largest that Encode writes is a tenth of it.
const MaxBody = 64 << 10

// payload is the body; which field is set follows from the type.
type payload struct {
	Devices    []string `json:"devices,omitempty"`
	Submission string   `json:"submission,omitempty"`
}

// Encode returns the event in CloudEvents binary mode: the attributes and the body. It refuses an event that Decode
// would refuse, with the same faults. A Trace that is no W3C traceparent is left out: it must not stop work.
func Encode(e Event) (attrs map[string]string, body []byte, err error) {
	if err := check(e); err != nil {
		return nil, nil, err
	}
	body, err = json.Marshal(payload{Devices: e.Devices, Submission: e.Submission})
	if err != nil {
		return nil, nil, fault.Wrap(err, fault.MessageMalformed, "the body cannot be written")
	}
	attrs = map[string]string{
		AttrSpecVersion:     specVersion,
		AttrID:              e.ID,
		AttrSource:          e.Source,
		AttrType:            string(e.Type),
		AttrTime:            e.Time.UTC().Format(time.RFC3339Nano),
		AttrDataContentType: jsonType,
		AttrTenant:          string(e.Tenant),
	}
	optional := map[string]string{
		AttrSubject:  subject(e),
		AttrBatch:    e.Batch,
		AttrReplayOf: e.ReplayOf,
		AttrTrace:    trace(e.Trace),
	}
	for name, value := range optional {
		if value != "" {
			attrs[name] = value
		}
	}
	return attrs, body, nil
}

// Decode reads an event. Unknown attributes and unknown fields are tolerated. A type or CloudEvents version that this
// release does not know is a fault.MessageUnknownType, anything else that is wrong a fault.MessageMalformed.
func Decode(attrs map[string]string, body []byte) (Event, error) {
	if v := attrs[AttrSpecVersion]; v != specVersion {
		return Event{}, versionFault(v)
	}
	e := Event{
		ID:       attrs[AttrID],
		Type:     Type(attrs[AttrType]),
		Source:   attrs[AttrSource],
		Tenant:   device.TenantID(attrs[AttrTenant]),
		Batch:    attrs[AttrBatch],
		Trace:    trace(attrs[AttrTrace]),
		ReplayOf: attrs[AttrReplayOf],
	}
	if _, err := shapeOf(e.Type); err != nil {
		return Event{}, err
	}
	t, err := time.Parse(time.RFC3339Nano, attrs[AttrTime])
	if err != nil {
		return Event{}, malformed("the attribute time is not RFC 3339")
	}
	e.Time = t.UTC()
	if err := decodeBody(&e, attrs[AttrDataContentType], body); err != nil {
		return Event{}, err
	}
	if err := check(e); err != nil {
		return Event{}, err
	}
	return e, nil
}

func decodeBody(e *Event, contentType string, body []byte) error {
	if media, _, err := mime.ParseMediaType(contentType); contentType != "" && (err != nil || media != jsonType) {
		return malformed("the body is not " + jsonType)
	}
	if len(body) > MaxBody {
		return fault.Newf(fault.MessageMalformed, "the body has %d bytes, the limit is %d", len(body), MaxBody)
	}
	var p payload
	if err := json.Unmarshal(body, &p); err != nil {
		return malformed("the body is not the JSON of its type") // the cause may quote the body
	}
	e.Devices = p.Devices
	e.Submission = p.Submission
	return nil
}

// subject names what the event is about when that is one thing.
func subject(e Event) string {
	if len(e.Devices) == 1 {
		return e.Devices[0]
	}
	return e.Submission
}

// trace returns s when it looks like a W3C traceparent (version-traceid-parentid-flags), "" otherwise.
func trace(s string) string {
	parts := strings.Split(s, "-")
	if len(parts) != 4 {
		return ""
	}
	for i, size := range []int{2, 32, 16, 2} {
		if len(parts[i]) != size || strings.Trim(parts[i], "0123456789abcdef") != "" {
			return ""
		}
	}
	return s
}
