package simulator

import (
	"maps"
	"slices"

	"taxiway.example/pkg/broker/sbbroker/simulator/internal/amqp"
)

// Bounds of one peek ("Message browsing").
const (
	maxPeekCount = 250
	maxPeekBytes = 256 << 10
)

func noStore(e *entity) reply {
	return refuse(400, condNotAllowed, "The operation is not possible on %s", e.name)
}

func badArgument(name string) reply {
	return refuse(400, condArgument, "%s is missing or has the wrong type", name)
}

func lockLost() reply {
	return refuse(
		410,
		condLockLost,
		"The lock supplied is invalid. Either the lock expired, or the message has already been removed from the queue",
	)
}

// peekMessages lists messages without locking them: active, locked and deferred
// ones, and on a queue scheduled ones ("Message browsing").
func peekMessages(_ *Server, e *entity, b requestBody) reply {
	if e.store == nil {
		return noStore(e)
	}
	e.count.Peeked++
	from, ok1 := b.integer("from-sequence-number")
	count, ok2 := b.integer("message-count")
	if !ok1 || !ok2 || count < 1 {
		return badArgument("from-sequence-number or message-count")
	}
	all := maps.Clone(e.store.messages)
	if e.inbox != nil {
		maps.Copy(all, e.inbox.scheduled)
	}
	var found amqp.List
	size := 0
	for _, n := range slices.Sorted(maps.Keys(all)) {
		if n < from {
			continue
		}
		peeked := *all[n]
		peeked.lock = nil
		encoded := peeked.encode()
		if size += len(encoded); len(found) > 0 && size > maxPeekBytes {
			break
		}
		found = append(found, amqp.Map{{Key: "message", Value: encoded}})
		if len(found) == int(min(count, maxPeekCount)) {
			break
		}
	}
	return messagesOr204(found)
}

func messagesOr204(found amqp.List) reply {
	if len(found) == 0 {
		return reply{status: 204, description: "No content"}
	}
	return reply{status: 200, description: "OK", body: amqp.Map{{Key: "messages", Value: found}}}
}

// renewLocks starts locks again, all or none.
func renewLocks(_ *Server, e *entity, b requestBody) reply {
	if e.store == nil {
		return noStore(e)
	}
	tokens, ok := b.tokens()
	if !ok {
		return badArgument("lock-tokens")
	}
	for _, t := range tokens {
		if e.store.locked[t] == nil {
			return lockLost()
		}
	}
	e.count.Renewed += int64(len(tokens))
	expirations := make(amqp.Array, len(tokens))
	for i, t := range tokens {
		expirations[i] = amqp.Timestamp(e.store.renew(e.store.locked[t]).UnixMilli())
	}
	return reply{status: 200, description: "OK", body: amqp.Map{{Key: "expirations", Value: expirations}}}
}

// updateDisposition settles by lock token.
func updateDisposition(_ *Server, e *entity, b requestBody) reply {
	if e.store == nil {
		return noStore(e)
	}
	tokens, ok := b.tokens()
	if !ok {
		return badArgument("lock-tokens")
	}
	changes, _ := b.m.Get("properties-to-modify").(amqp.Map)
	v := decision{changes: changes}
	switch status := b.text("disposition-status"); status {
	case "completed":
		v.kind = complete
	case "abandoned":
		v.kind = abandon
	case "defered": // the service's spelling
		v.kind = deferred
	case "suspended":
		v.kind = deadLetter
		if err := v.explain(b.m.Get("deadletter-reason"), b.m.Get("deadletter-description")); err != nil {
			return refuse(400, condArgument, "%s", err.Description)
		}
	default:
		return refuse(400, condArgument, "disposition-status %q is not known", status)
	}
	for _, t := range tokens {
		if e.store.locked[t] == nil {
			return lockLost()
		}
	}
	for _, t := range tokens {
		e.count.Settled++
		if err := e.store.settle(t, v); err != nil {
			return refuse(400, string(err.Condition), "%s", err.Description)
		}
	}
	return reply{status: 200, description: "OK"}
}

// receiveBySequenceNumber hands out deferred messages ("Message deferral"): mode
// 1 locks them, 0 removes them.
func receiveBySequenceNumber(_ *Server, e *entity, b requestBody) reply {
	if e.store == nil {
		return noStore(e)
	}
	numbers, ok := b.integers("sequence-numbers")
	if !ok {
		return badArgument("sequence-numbers")
	}
	mode, ok := b.integer("receiver-settle-mode")
	if !ok || mode < 0 || mode > 1 {
		return badArgument("receiver-settle-mode")
	}
	var found amqp.List
	for _, n := range numbers {
		m := e.store.messages[n]
		if m == nil || m.state != stateDeferred || m.lock != nil {
			continue
		}
		if mode == 0 {
			e.store.remove(m)
			found = append(found, amqp.Map{{Key: "message", Value: m.encode()}})
			continue
		}
		token := e.store.acquire(m)
		found = append(found, amqp.Map{{Key: "message", Value: m.encode()}, {Key: "lock-token", Value: token}})
	}
	return messagesOr204(found)
}

// scheduleMessages stores messages for later and returns their sequence numbers.
func scheduleMessages(_ *Server, e *entity, b requestBody) reply {
	if e.inbox == nil {
		return noStore(e)
	}
	items := b.items("messages")
	messages := make([]*amqp.Message, len(items))
	for i, item := range items {
		entry, _ := item.(amqp.Map)
		raw, ok := entry.Get("message").([]byte)
		if !ok {
			return badArgument("messages")
		}
		if len(raw) > maxMessageSize {
			return refuse(403, condMessageSize, "The message is larger than %d bytes", maxMessageSize)
		}
		m, err := amqp.DecodeMessage(raw)
		if err != nil {
			return refuse(400, condDecode, "%v", err)
		}
		messages[i] = sent(m)
	}
	if len(messages) == 0 {
		return badArgument("messages")
	}
	numbers, err := e.inbox.send(messages)
	if err != nil {
		return refuse(403, string(err.Condition), "%s", err.Description)
	}
	out := make(amqp.Array, len(numbers))
	for i, n := range numbers {
		out[i] = n
	}
	return reply{status: 200, description: "OK", body: amqp.Map{{Key: "sequence-numbers", Value: out}}}
}

// cancelScheduledMessages forgets scheduled messages, all or none.
func cancelScheduledMessages(_ *Server, e *entity, b requestBody) reply {
	if e.inbox == nil {
		return noStore(e)
	}
	numbers, ok := b.integers("sequence-numbers")
	if !ok {
		return badArgument("sequence-numbers")
	}
	if !e.inbox.cancel(numbers) {
		return refuse(404, "com.microsoft:message-not-found", "A scheduled message was not found")
	}
	return reply{status: 200, description: "OK"}
}
