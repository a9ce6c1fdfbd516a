package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	maxTopologyFile        = 1 << 20
	defaultDuplicateWindow = 10 * time.Minute // "Duplicate detection"
)

// The file form uses the property names of Microsoft.ServiceBus in Bicep and ARM
// templates, and their ISO 8601 durations.
type (
	topologyFile struct {
		Queues []queueFile `json:"queues"`
		Topics []topicFile `json:"topics"`
	}
	inboxFile struct {
		RequiresDuplicateDetection bool        `json:"requiresDuplicateDetection"`
		DuplicateWindow            isoDuration `json:"duplicateDetectionHistoryTimeWindow"`
		MaxSizeInMegabytes         int         `json:"maxSizeInMegabytes"`
	}
	outboxFile struct {
		LockDuration                     isoDuration `json:"lockDuration"`
		MaxDeliveryCount                 int         `json:"maxDeliveryCount"`
		DefaultMessageTimeToLive         isoDuration `json:"defaultMessageTimeToLive"`
		DeadLetteringOnMessageExpiration bool        `json:"deadLetteringOnMessageExpiration"`
	}
	queueFile struct {
		Name string `json:"name"`
		inboxFile
		outboxFile
	}
	topicFile struct {
		Name string `json:"name"`
		inboxFile
		DefaultMessageTimeToLive isoDuration        `json:"defaultMessageTimeToLive"`
		Subscriptions            []subscriptionFile `json:"subscriptions"`
	}
	subscriptionFile struct {
		Name string `json:"name"`
		outboxFile
	}
)

// ReadTopology reads the JSON form of a topology; docs/servicebus-simulator.md
// shows it. A field it does not know is an error.
func ReadTopology(r io.Reader) (Topology, error) {
	var file topologyFile
	d := json.NewDecoder(io.LimitReader(r, maxTopologyFile))
	d.DisallowUnknownFields()
	if err := d.Decode(&file); err != nil {
		return Topology{}, fmt.Errorf("%w: %w", ErrTopology, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Topology{}, fmt.Errorf("%w: more after the first JSON value", ErrTopology)
	}
	var t Topology
	for _, q := range file.Queues {
		in, err := q.inbox(q.Name)
		if err != nil {
			return Topology{}, err
		}
		t.Queues = append(t.Queues, Queue{Name: q.Name, Inbox: in, Outbox: q.outbox()})
	}
	for _, f := range file.Topics {
		in, err := f.inbox(f.Name)
		if err != nil {
			return Topology{}, err
		}
		topic := Topic{Name: f.Name, Inbox: in, DefaultMessageTimeToLive: time.Duration(f.DefaultMessageTimeToLive)}
		for _, sub := range f.Subscriptions {
			topic.Subscriptions = append(topic.Subscriptions, Subscription{Name: sub.Name, Outbox: sub.outbox()})
		}
		t.Topics = append(t.Topics, topic)
	}
	return t, nil
}

func (f inboxFile) inbox(name string) (Inbox, error) {
	in := Inbox{MaxSizeInMegabytes: f.MaxSizeInMegabytes, DuplicateWindow: time.Duration(f.DuplicateWindow)}
	if !f.RequiresDuplicateDetection && in.DuplicateWindow != 0 {
		return in, fmt.Errorf(
			"%w: %s has a duplicate detection window without requiresDuplicateDetection",
			ErrTopology,
			name,
		)
	}
	if f.RequiresDuplicateDetection && in.DuplicateWindow == 0 {
		in.DuplicateWindow = defaultDuplicateWindow
	}
	return in, nil
}

func (f outboxFile) outbox() Outbox {
	return Outbox{
		LockDuration:                     time.Duration(f.LockDuration),
		MaxDeliveryCount:                 f.MaxDeliveryCount,
		DefaultMessageTimeToLive:         time.Duration(f.DefaultMessageTimeToLive),
		DeadLetteringOnMessageExpiration: f.DeadLetteringOnMessageExpiration,
	}
}

// isoDuration is an ISO 8601 duration of days, hours, minutes and seconds.
type isoDuration time.Duration

var isoPattern = regexp.MustCompile(`^P(?:(\d{1,5})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,6})M)?(?:(\d{1,8})S)?)?$`)

// forever is .NET's longest TimeSpan, with which templates say "no limit".
const forever = "P10675199DT2H48M5.4775807S"

// UnmarshalText reads "PT1M", "P14D", "P1DT12H30M5S".
func (d *isoDuration) UnmarshalText(text []byte) error {
	if string(text) == forever {
		*d = 0
		return nil
	}
	parts := isoPattern.FindStringSubmatch(string(text))
	if parts == nil || strings.HasSuffix(string(text), "T") || string(text) == "P" {
		return fmt.Errorf("%w: %q is not an ISO 8601 duration", ErrTopology, text)
	}
	var sum time.Duration
	for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
		n, _ := strconv.Atoi(parts[i+1]) // digits by the pattern, or empty
		sum += time.Duration(n) * unit
	}
	*d = isoDuration(sum)
	return nil
}
