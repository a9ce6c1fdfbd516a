package simulator

import (
	"fmt"
	"time"

	"taxiway.example/pkg/broker/sbbroker/simulator/internal/amqp"
)

// inbox is the sending side of a queue or topic: quota, duplicate detection,
// scheduled messages, and the stores that get a copy.
type inbox struct {
	clock     *clock
	cfg       Inbox
	ttl       time.Duration // of a topic; a queue's stands with its store
	sequence  *int64
	scheduled map[int64]*message
	history   map[string]struct{} // message ids within the window
	forget    []remembered        // the same in the order in which they leave it
	targets   []*store
	used      int64
	full      bool // by fault injection
	held      bool // by fault injection: no credit for senders
	faults    []sendFault
}

type remembered struct {
	id    string
	until time.Time
}

func newInbox(c *clock, cfg Inbox) *inbox {
	return &inbox{
		clock:     c,
		cfg:       cfg,
		sequence:  new(int64),
		scheduled: map[int64]*message{},
		history:   map[string]struct{}{},
	}
}

// send stores all messages or none: a batch is one transfer with one outcome
// ("AMQP 1.0 in Azure Service Bus protocol guide"). It returns the sequence
// numbers, 0 for a duplicate.
func (in *inbox) send(messages []*amqp.Message) ([]int64, *amqp.Error) {
	size := int64(0)
	for _, m := range messages {
		if err := validate(m); err != nil {
			return nil, err
		}
		size += int64(m.Size())
	}
	// "Service Bus quotas": further messages are refused once the entity is full.
	if in.full || in.used+size*int64(len(in.targets)) > int64(in.cfg.MaxSizeInMegabytes)<<20 {
		return nil, failure(condResourceLimit, "The quota of the entity has been reached")
	}
	numbers := make([]int64, len(messages))
	for i, m := range messages {
		numbers[i] = in.accept(m)
	}
	for _, t := range in.targets {
		t.dispatch()
	}
	return numbers, nil
}

func (in *inbox) accept(m *amqp.Message) int64 {
	// "Duplicate detection": a duplicate is accepted and dropped without a signal.
	if in.duplicate(m.Properties.MessageID) {
		return 0
	}
	due, ok := m.Annotations.Get(annScheduled).(amqp.Timestamp)
	at := time.UnixMilli(int64(due)).UTC()
	if !ok || !at.After(in.clock.Now()) {
		return in.enqueue(m)
	}
	*in.sequence++
	msg := &message{
		amqp:     m,
		sequence: *in.sequence,
		state:    stateScheduled,
		size:     int64(m.Size()),
		enqueued: in.clock.Now(),
	}
	in.scheduled[msg.sequence] = msg
	in.used += msg.size
	msg.timer = in.clock.at(at, func() { in.activate(msg) })
	return msg.sequence
}

// activate moves a scheduled message to the stores. It gets a new sequence
// number there ("Message sequencing and timestamps").
func (in *inbox) activate(msg *message) {
	in.unschedule(msg)
	in.enqueue(msg.amqp)
	for _, t := range in.targets {
		t.dispatch()
	}
}

func (in *inbox) unschedule(msg *message) {
	in.clock.stop(msg.timer)
	delete(in.scheduled, msg.sequence)
	in.used -= msg.size
}

// enqueue gives every target its copy and returns the sequence number.
func (in *inbox) enqueue(m *amqp.Message) int64 {
	if len(in.targets) == 1 && in.sequence == &in.targets[0].sequence {
		return in.targets[0].add(m, 0, in.ttl)
	}
	*in.sequence++
	for _, t := range in.targets {
		t.add(m.Clone(), *in.sequence, in.ttl)
	}
	return *in.sequence
}

func (in *inbox) duplicate(id any) bool {
	if in.cfg.DuplicateWindow == 0 || id == nil || id == "" {
		return false
	}
	now := in.clock.Now()
	for len(in.forget) > 0 && !in.forget[0].until.After(now) {
		delete(in.history, in.forget[0].id)
		in.forget = in.forget[1:]
	}
	text := fmt.Sprintf("%T:%v", id, id)
	if _, seen := in.history[text]; seen {
		return true
	}
	in.history[text] = struct{}{}
	in.forget = append(in.forget, remembered{text, now.Add(in.cfg.DuplicateWindow)})
	return false
}

// cancel removes scheduled messages, all or none.
func (in *inbox) cancel(numbers []int64) bool {
	for _, n := range numbers {
		if in.scheduled[n] == nil {
			return false
		}
	}
	for _, n := range numbers {
		if msg := in.scheduled[n]; msg != nil {
			in.unschedule(msg)
		}
	}
	return true
}
