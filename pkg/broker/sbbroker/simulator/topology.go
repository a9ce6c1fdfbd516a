package simulator

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Defaults and bounds of an entity ("Service Bus quotas", "Message transfers,
// locks, and settlement", "Duplicate detection").
const (
	defaultLockDuration     = time.Minute
	maxLockDuration         = 5 * time.Minute
	defaultMaxDeliveryCount = 10
	minDuplicateWindow      = 20 * time.Second
	maxDuplicateWindow      = 7 * 24 * time.Hour
	defaultMaxSize          = 1024 // MB
	maxMaxSize              = 81920
	maxNameLength           = 260
	maxSubscriptionLength   = 50
)

// ErrTopology is wrapped by every refusal to create an entity.
var ErrTopology = errors.New("simulator: invalid topology")

// Topology is what the namespace holds when the server starts.
type Topology struct {
	Queues []Queue
	Topics []Topic
}

// Inbox says how an entity treats what is sent to it. Zero values mean Azure's defaults.
type Inbox struct {
	// DuplicateWindow switches duplicate detection on: 20 s to 7 days.
	DuplicateWindow time.Duration
	// MaxSizeInMegabytes is the entity's quota, default 1024. Unlike Azure any
	// number from 1 up is allowed, so that a test can fill an entity.
	MaxSizeInMegabytes int
}

// Outbox says how an entity hands messages out. Zero values mean Azure's defaults.
type Outbox struct {
	// LockDuration of a peek-lock, at most 5 minutes, default 1 minute.
	LockDuration time.Duration
	// MaxDeliveryCount is the number of failed deliveries after which a message
	// is dead-lettered, default 10.
	MaxDeliveryCount int
	// DefaultMessageTimeToLive caps the time to live of every message; 0 is for ever.
	DefaultMessageTimeToLive time.Duration
	// DeadLetteringOnMessageExpiration keeps expired messages as dead letters.
	DeadLetteringOnMessageExpiration bool
}

// Queue describes a queue.
type Queue struct {
	Name string
	Inbox
	Outbox
}

// Topic describes a topic and its subscriptions.
type Topic struct {
	Name string
	Inbox
	// DefaultMessageTimeToLive caps the time to live of every message; 0 is for ever.
	DefaultMessageTimeToLive time.Duration
	Subscriptions            []Subscription
}

// Subscription describes a subscription; its one rule matches every message.
type Subscription struct {
	Name string
	Outbox
}

func (i Inbox) withDefaults() (Inbox, error) {
	if i.MaxSizeInMegabytes == 0 {
		i.MaxSizeInMegabytes = defaultMaxSize
	}
	switch {
	case i.MaxSizeInMegabytes < 0 || i.MaxSizeInMegabytes > maxMaxSize:
		return i, fmt.Errorf("%w: MaxSizeInMegabytes %d", ErrTopology, i.MaxSizeInMegabytes)
	case i.DuplicateWindow != 0 && (i.DuplicateWindow < minDuplicateWindow || i.DuplicateWindow > maxDuplicateWindow):
		return i, fmt.Errorf("%w: DuplicateWindow %v", ErrTopology, i.DuplicateWindow)
	}
	return i, nil
}

func (o Outbox) withDefaults() (Outbox, error) {
	if o.LockDuration == 0 {
		o.LockDuration = defaultLockDuration
	}
	if o.MaxDeliveryCount == 0 {
		o.MaxDeliveryCount = defaultMaxDeliveryCount
	}
	switch {
	case o.LockDuration < 0 || o.LockDuration > maxLockDuration:
		return o, fmt.Errorf("%w: LockDuration %v", ErrTopology, o.LockDuration)
	case o.MaxDeliveryCount < 0:
		return o, fmt.Errorf("%w: MaxDeliveryCount %d", ErrTopology, o.MaxDeliveryCount)
	case o.DefaultMessageTimeToLive < 0:
		return o, fmt.Errorf("%w: DefaultMessageTimeToLive %v", ErrTopology, o.DefaultMessageTimeToLive)
	}
	return o, nil
}

// checkName refuses what cannot be an entity name. Segments that begin with a
// dollar sign and "Subscriptions" are how addresses name sub-entities.
func checkName(name string, limit int) error {
	if name == "" || len(name) > limit {
		return fmt.Errorf("%w: name of %d characters", ErrTopology, len(name))
	}
	for _, r := range name {
		alphanumeric := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !alphanumeric && !strings.ContainsRune("._-~/", r) {
			return fmt.Errorf("%w: %q in name %q", ErrTopology, r, name)
		}
	}
	for segment := range strings.SplitSeq(name, "/") {
		if segment == "" || strings.EqualFold(segment, "subscriptions") {
			return fmt.Errorf("%w: name %q", ErrTopology, name)
		}
	}
	return nil
}
