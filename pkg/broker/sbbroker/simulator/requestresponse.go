package simulator

import (
	"fmt"

	"taxiway.example/pkg/broker/sbbroker/simulator/internal/amqp"
)

// maxReplies bounds the replies a client may leave waiting.
const maxReplies = 1000

// request is one request to $cbs or to a $management node.
type request struct {
	conn      *connection
	entity    *entity // nil on $cbs
	operation string
	app       amqp.Map
	body      any
}

// reply is the answer to a request.
type reply struct {
	status      int32
	description string
	condition   string
	body        amqp.Map
}

// refuse is a reply that says no.
func refuse(status int32, condition, format string, args ...any) reply {
	return reply{status: status, condition: condition, description: fmt.Sprintf(format, args...)}
}

// attachNode makes the link one half of a request-response node ("AMQP 1.0 in
// Azure Service Bus: request-response-based operations").
func (l *link) attachNode(a amqp.Attach, e *entity, serve func(*request) reply) {
	if l.in != nil {
		l.in.receive = func(d *inbound) (any, bool) { return l.request(d, e, serve) }
		return
	}
	l.out.settled = true
	// The Go client replies to the target address, the Node one to the link's name.
	l.session.conn.replies[l.name] = l
	if a.Target != nil && a.Target.Address != "" {
		l.session.conn.replies[a.Target.Address] = l
	}
}

func (l *link) request(d *inbound, e *entity, serve func(*request) reply) (state any, answer bool) {
	m, err := amqp.DecodeMessage(d.payload)
	if err != nil {
		return amqp.Rejected{Error: failure(condDecode, err.Error())}, true
	}
	to, _ := m.Properties.ReplyTo.(string)
	back := l.session.conn.replies[to]
	if back == nil || m.Properties.MessageID == nil {
		return amqp.Rejected{
			Error: failure(
				condNotAllowed,
				"The request has no message id, or its reply-to names no link of this connection",
			),
		}, true
	}
	if len(back.out.replies) >= maxReplies {
		return amqp.Rejected{Error: failure(condResourceLimit, "Too many replies are waiting for credit")}, true
	}
	r := &request{conn: l.session.conn, entity: e, app: m.Application}
	r.operation, _ = m.Application.Get("operation").(string)
	out := reply{}
	if r.body, err = m.Value(); err != nil {
		out = refuse(400, condDecode, "%v", err)
	} else {
		out = serve(r)
	}
	if out.status >= 300 {
		l.session.conn.server.log.Info("request refused", "address", l.address, "operation", r.operation,
			"status", out.status, "description", out.description)
	}
	back.out.replies = append(back.out.replies, out.encode(m.Properties))
	back.out.pump()
	return amqp.Accepted{}, true
}

// encode writes the reply: correlation-id is the request's message-id, the status
// an int (internal/rpc.go of azservicebus takes nothing else).
func (r reply) encode(asked amqp.Properties) []byte {
	app := amqp.Map{
		{Key: "statusCode", Value: r.status},
		{Key: "status-code", Value: r.status},
		{Key: "statusDescription", Value: r.description},
		{Key: "status-description", Value: r.description},
	}
	if r.condition != "" {
		app = append(app, amqp.Pair{Key: "errorCondition", Value: amqp.Symbol(r.condition)})
	}
	body := any(r.body)
	if r.body == nil {
		body = amqp.Map{}
	}
	p := amqp.Properties{CorrelationID: asked.MessageID, To: asked.ReplyTo}
	return amqp.NewValueMessage(p, app, body).Append(nil)
}
