package simulator

import (
	"strings"

	"taxiway.example/pkg/broker/sbbroker/simulator/internal/amqp"
)

// operations are the $management operations ("AMQP 1.0 in Azure Service Bus:
// request-response-based operations"; internal/mgmt.go of azservicebus).
var operations = map[string]func(s *Server, e *entity, b requestBody) reply{
	"peek-message":               peekMessages,
	"renew-lock":                 renewLocks,
	"update-disposition":         updateDisposition,
	"receive-by-sequence-number": receiveBySequenceNumber,
	"schedule-message":           scheduleMessages,
	"cancel-scheduled-message":   cancelScheduledMessages,
}

const operationPrefix = "com.microsoft:"

func (l *link) attachManagement(a amqp.Attach, name string) *amqp.Error {
	e := l.session.conn.server.entities[name]
	if e == nil {
		return failure(condNotFound, "The messaging entity '"+name+"' could not be found")
	}
	l.attachNode(a, e, manage)
	return nil
}

// manage runs an operation, and refuses one it does not know with 501.
func manage(r *request) reply {
	name, ok := strings.CutPrefix(r.operation, operationPrefix)
	run := operations[name]
	if !ok || run == nil {
		return refuse(501, condNotImplemented, "The operation %q is not simulated", r.operation)
	}
	body, ok := r.body.(amqp.Map)
	if !ok {
		return refuse(400, condArgument, "The body of %s is not a map", r.operation)
	}
	if name, _ := r.app.Get("associated-link-name").(string); name != "" {
		r.conn.touch(name)
	}
	return run(r.conn.server, r.entity, requestBody{body})
}

// touch notes activity on the links of that name.
func (c *connection) touch(name string) {
	for _, ss := range c.sessions {
		for _, l := range ss.links {
			if l.name == name && !l.active.IsZero() {
				l.touch()
			}
		}
	}
}

// requestBody reads the body of a request. Lists and arrays are one: clients
// differ in which of them they send.
type requestBody struct{ m amqp.Map }

func (b requestBody) integer(name string) (int64, bool) { return integer(b.m.Get(name)) }

func (b requestBody) text(name string) string {
	s, _ := b.m.Get(name).(string)
	return s
}

func (b requestBody) items(name string) []any {
	switch v := b.m.Get(name).(type) {
	case amqp.List:
		return v
	case amqp.Array:
		return v
	}
	return nil
}

// integers reads a non-empty sequence of integers.
func (b requestBody) integers(name string) ([]int64, bool) {
	items := b.items(name)
	out := make([]int64, len(items))
	for i, item := range items {
		n, ok := integer(item)
		if !ok {
			return nil, false
		}
		out[i] = n
	}
	return out, len(out) > 0
}

// tokens reads a non-empty sequence of lock tokens.
func (b requestBody) tokens() ([]amqp.UUID, bool) {
	items := b.items("lock-tokens")
	out := make([]amqp.UUID, len(items))
	for i, item := range items {
		t, ok := item.(amqp.UUID)
		if !ok {
			return nil, false
		}
		out[i] = t
	}
	return out, len(out) > 0
}

func integer(v any) (int64, bool) {
	switch n := v.(type) {
	case int64:
		return n, true
	case int32:
		return int64(n), true
	case uint32:
		return int64(n), true
	case uint8:
		return int64(n), true
	case uint64:
		return int64(n), true
	}
	return 0, false
}
