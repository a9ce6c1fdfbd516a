package simulator

import (
	"fmt"

	"taxiway.example/pkg/broker/sbbroker/simulator/internal/amqp"
)

// linkCredit is how many messages a sender may have on the way.
const linkCredit = 1000

// batchFormat marks a transfer whose data sections are encoded messages
// (message_batch.go of azservicebus).
const batchFormat = 0x80013700

// inlet is the receiving end of a link on which the client sends.
type inlet struct {
	link    *link
	credit  uint32
	count   uint32 // delivery-count
	partial *inbound
	receive func(*inbound) (state any, answer bool)
}

// inbound is a delivery of the client, complete or still arriving.
type inbound struct {
	id      uint32
	format  uint32
	settled bool
	size    int
	payload []byte // nothing more once size is beyond the limit
}

func newInlet(l *link, a amqp.Attach) *inlet {
	in := &inlet{link: l}
	if a.InitialDeliveryCount != nil {
		in.count = *a.InitialDeliveryCount
	}
	in.receive = l.sent
	return in
}

// grant gives the sender full credit.
func (in *inlet) grant() {
	if e := in.link.entity; e != nil && e.inbox.held {
		return
	}
	in.credit = linkCredit
	in.sendFlow()
}

func (in *inlet) sendFlow() {
	handle := in.link.handle
	count := in.count
	credit := in.credit
	in.link.session.sendFlow(amqp.Flow{Handle: &handle, DeliveryCount: &count, LinkCredit: &credit})
}

// transfer takes one frame of a delivery (§2.7.5).
func (in *inlet) transfer(t amqp.Transfer) {
	if in.partial == nil {
		if t.DeliveryID == nil || t.DeliveryTag == nil {
			in.link.detach(failure(condNotAllowed, "The first transfer of a delivery lacks its id or its tag"))
			return
		}
		if in.credit == 0 {
			in.link.detach(failure(condTransferLimit, "A transfer exceeds the link's credit"))
			return
		}
		in.credit--
		in.count++
		in.partial = &inbound{id: *t.DeliveryID}
		if t.MessageFormat != nil {
			in.partial.format = *t.MessageFormat
		}
	}
	d := in.partial
	if t.DeliveryID != nil && *t.DeliveryID != d.id {
		in.link.detach(failure(condNotAllowed, "Deliveries of one link may not be interleaved"))
		return
	}
	d.settled = d.settled || t.Settled
	if d.size += len(t.Payload); d.size <= maxMessageSize {
		d.payload = append(d.payload, t.Payload...)
	}
	if t.More && !t.Aborted {
		return
	}
	in.partial = nil
	if !t.Aborted {
		in.complete(d)
	}
	if in.credit <= linkCredit/2 && !in.link.detached {
		in.grant()
	}
}

func (in *inlet) complete(d *inbound) {
	in.link.touch()
	if d.size > maxMessageSize && in.link.entity == nil {
		in.link.detach(tooLarge(d.size))
		return
	}
	state, answer := in.receive(d)
	if answer && !d.settled {
		in.link.session.send(
			amqp.Disposition{Role: amqp.RoleReceiver, First: d.id, Last: d.id, Settled: true, State: state},
		)
	}
}

// sent is a delivery to a queue or topic.
func (l *link) sent(d *inbound) (state any, answer bool) {
	box := l.entity.inbox
	fault, planned := box.nextFault()
	if planned && fault.condition != "" {
		return amqp.Rejected{Error: failure(fault.condition, "The request was refused by a planned fault")}, true
	}
	if planned && fault.cut && !fault.stored {
		l.session.conn.abort()
		return nil, false
	}
	err := l.store(d)
	if planned && fault.cut {
		l.session.conn.abort()
		return nil, false
	}
	if err != nil {
		return amqp.Rejected{Error: err}, true
	}
	return amqp.Accepted{}, true
}

func (l *link) store(d *inbound) *amqp.Error {
	messages, err := unpack(d)
	if err != nil {
		return err
	}
	l.entity.count.Transfers++
	l.entity.count.Sent += int64(len(messages))
	_, err = l.entity.inbox.send(messages)
	return err
}

func tooLarge(size int) *amqp.Error {
	return failure(
		condMessageSize,
		fmt.Sprintf("The message of %d bytes exceeds the limit of %d bytes", size, maxMessageSize),
	)
}

// unpack decodes a delivery into the messages it carries. A message that is too
// large is rejected on an entity's link and ends a request's link, as
// Azure/azure-sdk-for-js#23623 shows.
func unpack(d *inbound) ([]*amqp.Message, *amqp.Error) {
	if d.size > maxMessageSize {
		return nil, tooLarge(d.size)
	}
	envelope, err := amqp.DecodeMessage(d.payload)
	if err != nil {
		return nil, failure(condDecode, err.Error())
	}
	switch d.format {
	case 0:
		return []*amqp.Message{sent(envelope)}, nil
	case batchFormat:
	default:
		return nil, failure(condNotImplemented, fmt.Sprintf("Message format %#x is not known", d.format))
	}
	parts, err := envelope.Data()
	if err != nil {
		return nil, failure(condDecode, err.Error())
	}
	if len(parts) == 0 {
		return nil, failure(condNotAllowed, "The batch is empty")
	}
	messages := make([]*amqp.Message, len(parts))
	for i, part := range parts {
		m, err := amqp.DecodeMessage(part)
		if err != nil {
			return nil, failure(condDecode, err.Error())
		}
		messages[i] = sent(m)
	}
	return messages, nil
}
