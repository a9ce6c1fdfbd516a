package simulator

import "taxiway.example/pkg/broker/sbbroker/simulator/internal/amqp"

// outlet is the sending end of a link on which the client receives: from a
// store, or the replies of a request-response node.
type outlet struct {
	link    *link
	settled bool // receive-and-delete, and replies
	credit  uint32
	count   uint32 // delivery-count
	drain   bool
	replies [][]byte
}

// delivery is a message on its way to a client, until it is settled.
type delivery struct {
	store *store
	token amqp.UUID
	link  *link
}

var _ consumer = (*outlet)(nil)

func newOutlet(l *link, a amqp.Attach) *outlet {
	return &outlet{link: l, settled: a.SenderMode == amqp.SenderSettled}
}

// flow takes the client's credit (§2.6.7):
// link-credit(snd) = delivery-count(rcv) + link-credit(rcv) - delivery-count(snd).
func (o *outlet) flow(f amqp.Flow) {
	if f.LinkCredit != nil {
		seen := uint32(0) // our initial delivery-count
		if f.DeliveryCount != nil {
			seen = *f.DeliveryCount
		}
		o.credit = seen + *f.LinkCredit - o.count
		if int32(o.credit) < 0 {
			o.credit = 0
		}
	}
	o.drain = f.Drain
	o.pump()
	if f.Echo && !f.Drain {
		o.sendFlow()
	}
}

// pump sends what there is, then gives back credit the client wants drained.
func (o *outlet) pump() {
	if o.link.entity != nil {
		o.link.entity.store.dispatch()
	}
	for len(o.replies) > 0 && o.ready() {
		payload := o.replies[0]
		o.replies = o.replies[1:]
		o.send([]byte{0}, payload)
	}
	if o.drain && len(o.link.session.pending) == 0 && !o.link.detached {
		o.count += o.credit
		o.credit = 0
		o.sendFlow()
		o.drain = false
	}
}

func (o *outlet) sendFlow() {
	handle := o.link.handle
	count := o.count
	credit := o.credit
	o.link.session.sendFlow(amqp.Flow{Handle: &handle, DeliveryCount: &count, LinkCredit: &credit, Drain: o.drain})
}

func (o *outlet) ready() bool {
	return o.credit > 0 && !o.link.detached && o.link.session.open()
}

// take peek-locks the message, or removes it when the client receives and deletes.
func (o *outlet) take(m *message) {
	s := o.link.entity.store
	o.link.touch()
	o.link.entity.count.Delivered++
	if o.settled {
		s.remove(m)
		o.send([]byte{0}, m.encode())
		return
	}
	token := s.acquire(m)
	id := o.send(guid(token), m.encode())
	o.link.session.unsettled[id] = &delivery{store: s, token: token, link: o.link}
}

func (o *outlet) send(tag, payload []byte) uint32 {
	o.credit--
	o.count++
	return o.link.session.deliver(o.link, tag, payload, o.settled)
}

// guid is a lock token as a delivery tag: .NET's byte order of a GUID
// (lockTokenFromMessageTag in message.go of azservicebus).
func guid(u amqp.UUID) []byte {
	return []byte{u[3], u[2], u[1], u[0], u[5], u[4], u[7], u[6], u[8], u[9], u[10], u[11], u[12], u[13], u[14], u[15]}
}
