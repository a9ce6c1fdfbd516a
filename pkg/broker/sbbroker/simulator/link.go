package simulator

import (
	"fmt"
	"strings"
	"time"

	"taxiway.example/pkg/broker/sbbroker/simulator/internal/amqp"
)

// link is one end of a link. Exactly one of in and out is set: in when the
// client sends to us, out when it receives from us.
type link struct {
	session  *session
	name     string
	handle   uint32
	address  string
	entity   *entity // nil for a request-response node
	in       *inlet
	out      *outlet
	detached bool // a detach has been sent, the peer's is awaited
	active   time.Time
	idle     *timer
}

// attach answers an attach: with a link, or with a link without a terminus that
// is detached at once, which is how a link is refused (§2.6.3).
func (ss *session) attach(a amqp.Attach) {
	if a.Handle > handleMax {
		ss.conn.close(failure(condFraming, "A handle is larger than handle-max")) // §2.7.2
		return
	}
	if ss.links[a.Handle] != nil {
		ss.end(failure(condHandleInUse, "An attach names a handle that is in use"))
		return
	}
	l := &link{session: ss, name: a.Name, handle: a.Handle}
	ss.links[a.Handle] = l
	answer := amqp.Attach{
		Name:           a.Name,
		Handle:         a.Handle,
		Role:           !a.Role,
		SenderMode:     a.SenderMode, // clients insist on the modes they asked for (link.go of go-amqp)
		ReceiverMode:   a.ReceiverMode,
		MaxMessageSize: maxMessageSize,
	}
	if err := l.resolve(a); err != nil {
		ss.conn.server.log.Info(
			"link refused",
			"address",
			l.address,
			"condition",
			string(err.Condition),
			"description",
			err.Description,
		)
		if a.Role == amqp.RoleReceiver {
			answer.InitialDeliveryCount = new(uint32)
		}
		l.in = nil
		l.out = nil
		ss.send(answer)
		l.detach(err)
		return
	}
	answer.Source = a.Source
	answer.Target = a.Target
	if answer.Source == nil {
		answer.Source = &amqp.Source{}
	}
	if answer.Target == nil {
		answer.Target = &amqp.Target{}
	}
	if l.out != nil {
		answer.InitialDeliveryCount = new(uint32)
	}
	ss.send(answer)
	l.start()
}

// resolve finds what the address names and makes the link's end for it.
func (l *link) resolve(a amqp.Attach) *amqp.Error {
	if a.Coordinator {
		return failure(condNotImplemented, "Transactions are not simulated")
	}
	if a.Role == amqp.RoleSender {
		if a.Target == nil || a.Target.Dynamic {
			return failure(condNotImplemented, "A sender needs a target address")
		}
		l.address = a.Target.Address
		l.in = newInlet(l, a)
	} else {
		if a.Source == nil || a.Source.Dynamic {
			return failure(condNotImplemented, "A receiver needs a source address")
		}
		l.address = a.Source.Address
		l.out = newOutlet(l, a)
	}
	l.address = strings.TrimPrefix(l.address, "/")
	if key(l.address) == cbsAddress {
		return l.attachCBS(a)
	}
	if !l.session.conn.allowed(l.address) {
		return failure(condUnauthorized, fmt.Sprintf("Unauthorized access to %s: put a token on $cbs first", l.address))
	}
	if name, ok := strings.CutSuffix(key(l.address), managementSuffix); ok {
		return l.attachManagement(a, name)
	}
	return l.attachEntity(a)
}

func (l *link) attachEntity(a amqp.Attach) *amqp.Error {
	s := l.session.conn.server
	if strings.HasSuffix(key(l.address), key(transferSuffix)) {
		return failure(condNotImplemented, "Auto-forwarding and its transfer sub-queues are not simulated")
	}
	l.entity = s.entities[key(l.address)]
	if l.entity == nil {
		return failure(condNotFound, fmt.Sprintf("The messaging entity '%s' could not be found", l.address))
	}
	if l.in != nil && l.entity.inbox == nil {
		// "Overview of Service Bus dead-letter queues": nobody can send to a sub-queue.
		return failure(condNotAllowed, "Messages cannot be sent to a subscription or a sub-queue")
	}
	if l.out != nil && l.entity.store == nil {
		return failure(condNotAllowed, "Messages cannot be received from a topic")
	}
	if l.out != nil && a.Source.Filter.Get("com.microsoft:session-filter") != nil {
		return failure(condNotImplemented, "Sessions are not simulated")
	}
	return nil
}

// start opens the link for business: credit for a sender, messages for a receiver.
func (l *link) start() {
	l.session.conn.linkCount++
	l.touch()
	if l.entity != nil {
		l.entity.links[l] = struct{}{}
		l.watch()
	}
	if l.in != nil {
		l.in.grant()
	}
	if l.out != nil && l.entity != nil {
		l.entity.store.subscribe(l.out)
	}
}

// flow is a flow frame with this link's handle.
func (l *link) flow(f amqp.Flow) {
	if l.detached {
		return
	}
	l.touch()
	if l.out != nil {
		l.out.flow(f)
	} else if f.Echo {
		l.in.sendFlow()
	}
}

// pump sends what the link has and may send.
func (l *link) pump() {
	if l.out != nil && !l.detached {
		l.out.pump()
	}
}

// detach closes the link from our side. The peer's detach is the answer; nothing
// more goes out on this handle.
func (l *link) detach(err *amqp.Error) {
	if l.detached {
		return
	}
	l.drop()
	l.detached = true
	l.session.send(amqp.Detach{Handle: l.handle, Closed: true, Error: err})
}

// detach is the peer's: a request, or the answer to ours, which gets no answer
// (go-amqp ends the session if it hears of an unknown handle).
func (ss *session) detach(d amqp.Detach) {
	l := ss.links[d.Handle]
	if l == nil {
		return // as Azure does (AmqpSession of Microsoft.Azure.Amqp): the client gave up waiting for it
	}
	if !l.detached {
		l.drop()
		ss.send(amqp.Detach{Handle: d.Handle, Closed: true})
	}
	delete(ss.links, d.Handle)
}

// drop takes the link out of everything that knows it. Messages it had locked
// stay locked ("Message transfers, locks, and settlement").
func (l *link) drop() {
	c := l.session.conn
	if l.active.IsZero() {
		return // refused, or dropped before
	}
	l.active = time.Time{}
	c.server.clock.stop(l.idle)
	if l.entity != nil {
		delete(l.entity.links, l)
		if l.out != nil && l.entity.store != nil {
			l.entity.store.unsubscribe(l.out)
		}
	}
	for address, other := range c.replies {
		if other == l {
			delete(c.replies, address)
		}
	}
	l.session.discard(l)
	if c.linkCount--; c.linkCount == 0 {
		c.watch(noLinksTimeout)
	}
}
