package simulator

import (
	"fmt"

	"taxiway.example/pkg/broker/sbbroker/simulator/internal/amqp"
)

// What the server says in begin.
const (
	sessionWindow = 5000
	handleMax     = 255
)

// session is one AMQP session (§2.5). Counters wrap around: they are serial numbers.
type session struct {
	conn    *connection
	channel uint16
	links   map[uint32]*link // by handle; both ends use the peer's number
	ended   bool             // an end has been sent, the peer's is awaited

	nextIncoming   uint32
	incomingWindow uint32 // transfers the peer may still send
	nextOutgoing   uint32
	outgoingWindow uint32 // transfers the peer takes (remote-incoming-window)
	nextDelivery   uint32
	pending        []amqp.Transfer // waiting for the peer's window
	unsettled      map[uint32]*delivery
}

func (c *connection) begin(channel uint16, b amqp.Begin) {
	if channel > channelMax || c.sessions[channel] != nil || b.RemoteChannel != nil {
		c.close(failure(condFraming, fmt.Sprintf("A session cannot begin on channel %d", channel)))
		return
	}
	ss := &session{
		conn:           c,
		channel:        channel,
		links:          map[uint32]*link{},
		nextIncoming:   b.NextOutgoingID,
		incomingWindow: sessionWindow,
		outgoingWindow: b.IncomingWindow,
		unsettled:      map[uint32]*delivery{},
	}
	c.sessions[channel] = ss
	ss.send(amqp.Begin{
		RemoteChannel:  &channel,
		NextOutgoingID: ss.nextOutgoing,
		IncomingWindow: sessionWindow,
		OutgoingWindow: sessionWindow,
		HandleMax:      handleMax,
	})
}

func (ss *session) send(p amqp.Performative) { ss.conn.send(ss.channel, p) }

func (ss *session) handle(p amqp.Performative) {
	if _, ok := p.(amqp.End); ok {
		if !ss.ended {
			ss.drop()
			ss.send(amqp.End{})
		}
		delete(ss.conn.sessions, ss.channel)
		return
	}
	if ss.ended {
		return // sent before the peer saw our end
	}
	switch p := p.(type) {
	case amqp.Attach:
		ss.attach(p)
	case amqp.Flow:
		ss.flow(p)
	case amqp.Transfer:
		ss.transfer(p)
	case amqp.Disposition:
		ss.disposition(p)
	case amqp.Detach:
		ss.detach(p)
	default:
		ss.end(failure(condNotAllowed, fmt.Sprintf("Unexpected %T on a session", p)))
	}
}

// end closes the session with an error.
func (ss *session) end(err *amqp.Error) {
	if ss.ended {
		return
	}
	ss.conn.server.log.Info("ending session", "condition", string(err.Condition), "description", err.Description)
	ss.drop()
	ss.ended = true
	ss.send(amqp.End{Error: err})
}

// drop lets go of all links.
func (ss *session) drop() {
	for _, l := range ss.links {
		l.drop()
	}
	ss.pending = nil
	ss.unsettled = map[uint32]*delivery{}
}

// flow takes the peer's view of the session and, with a handle, of a link (§2.5.6).
func (ss *session) flow(f amqp.Flow) {
	seen := uint32(0) // our initial next-outgoing-id
	if f.NextIncomingID != nil {
		seen = *f.NextIncomingID
	}
	ss.outgoingWindow = seen + f.IncomingWindow - ss.nextOutgoing
	if int32(ss.outgoingWindow) < 0 {
		ss.outgoingWindow = 0
	}
	ss.flush()
	if f.Handle != nil {
		l := ss.links[*f.Handle]
		if l == nil {
			ss.end(failure(condUnattachedHandle, "A flow names a handle that is not attached"))
			return
		}
		l.flow(f)
	} else if f.Echo {
		ss.sendFlow(amqp.Flow{})
	}
	for _, l := range ss.links {
		l.pump()
	}
}

// sendFlow completes f with the state of the session.
func (ss *session) sendFlow(f amqp.Flow) {
	next := ss.nextIncoming
	ss.incomingWindow = sessionWindow
	f.NextIncomingID = &next
	f.IncomingWindow = sessionWindow
	f.NextOutgoingID = ss.nextOutgoing
	f.OutgoingWindow = sessionWindow
	ss.send(f)
}

// transfer accounts for one transfer of the peer and passes it to its link.
func (ss *session) transfer(t amqp.Transfer) {
	if ss.incomingWindow == 0 {
		ss.end(failure(condWindowViolation, "A transfer exceeds the session's window"))
		return
	}
	ss.nextIncoming++
	ss.incomingWindow--
	l := ss.links[t.Handle]
	switch {
	case l == nil:
		ss.end(failure(condUnattachedHandle, "A transfer names a handle that is not attached"))
		return
	case l.detached:
		// sent before the peer saw our detach
	case l.in == nil:
		ss.end(failure(condErrantLink, "A transfer came from the receiving end of a link"))
		return
	default:
		l.in.transfer(t)
	}
	if ss.incomingWindow <= sessionWindow/2 && !ss.ended {
		ss.sendFlow(amqp.Flow{})
	}
}

// open says whether one more delivery may be started.
func (ss *session) open() bool {
	return len(ss.pending) == 0 && ss.outgoingWindow > 0 && !ss.ended && !ss.conn.closing && !ss.conn.gone
}

// deliver sends a message on a link, in as many frames as the peer's frame size
// asks for (§2.6.14), and returns the delivery id.
func (ss *session) deliver(l *link, tag, payload []byte, settled bool) uint32 {
	id := ss.nextDelivery
	format := uint32(0)
	ss.nextDelivery++
	chunk := int(min(ss.conn.peer.MaxFrameSize, maxFrameSize)) - amqp.TransferOverhead
	t := amqp.Transfer{Handle: l.handle, DeliveryID: &id, DeliveryTag: tag, MessageFormat: &format, Settled: settled}
	for len(payload) > chunk {
		t.Payload = payload[:chunk]
		t.More = true
		ss.pending = append(ss.pending, t)
		payload = payload[chunk:]
		t = amqp.Transfer{Handle: l.handle, Settled: settled}
	}
	t.Payload = payload
	ss.pending = append(ss.pending, t)
	ss.flush()
	return id
}

// flush sends pending transfers as far as the peer's window allows.
func (ss *session) flush() {
	for len(ss.pending) > 0 && ss.outgoingWindow > 0 {
		ss.nextOutgoing++
		ss.outgoingWindow--
		ss.send(ss.pending[0])
		ss.pending = ss.pending[1:]
	}
}

// discard drops pending transfers of a link that is going away, and forgets its
// deliveries: a settlement that crosses the detach must not be answered, since
// go-amqp ends the session over a delivery whose link is gone.
func (ss *session) discard(l *link) {
	for id, del := range ss.unsettled {
		if del.link == l {
			delete(ss.unsettled, id)
		}
	}
	kept := ss.pending[:0:0]
	for _, t := range ss.pending {
		if t.Handle != l.handle {
			kept = append(kept, t)
		}
	}
	ss.pending = kept
}
