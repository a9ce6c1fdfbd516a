package sbbroker

import "sync/atomic"

// Operations counts what was asked of the namespace since the broker was made. Messages count once each however they
// travelled: that is what the service bills and throttles by.
type Operations struct {
	Sent         int64 // messages sent, copies included
	Batches      int64 // transfers they went in
	Received     int64
	Completed    int64
	Abandoned    int64
	DeadLettered int64
	Renewed      int64 // locks, a management operation each
	Peeked       int64 // calls, a management operation each
	Poisoned     int64 // receives lost to a message the client library cannot read
}

// Credits is what the operations cost of the 1,000 credits a second of a Standard namespace ("Throttling operations on Azure
// Service Bus"): one for each message sent, received or settled, ten for each management operation.
func (o Operations) Credits() int64 {
	return o.Sent + o.Received + o.Completed + o.Abandoned + o.DeadLettered + 10*(o.Renewed+o.Peeked)
}

type counters struct {
	sent, batches, received, completed, abandoned, deadLettered, renewed, peeked, poisoned atomic.Int64
}

// Operations returns the counts so far.
func (b *Broker) Operations() Operations {
	c := &b.count
	return Operations{
		Sent: c.sent.Load(), Batches: c.batches.Load(), Received: c.received.Load(), Completed: c.completed.Load(),
		Abandoned: c.abandoned.Load(), DeadLettered: c.deadLettered.Load(), Renewed: c.renewed.Load(), Peeked: c.peeked.Load(),
		Poisoned: c.poisoned.Load(),
	}
}
