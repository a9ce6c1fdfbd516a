package simulator

import "taxiway.example/pkg/broker/sbbroker/simulator/internal/amqp"

// condDeadLetter is what a client rejects with to dead-letter (messageSettler.go of azservicebus).
const condDeadLetter = "com.microsoft:dead-letter"

// disposition settles deliveries the client has received. The peer's settlement
// of its own deliveries needs nothing: ours were settled when we answered.
func (ss *session) disposition(d amqp.Disposition) {
	if d.Role != amqp.RoleReceiver {
		return
	}
	count := d.Last - d.First + 1
	if int(count) <= len(ss.unsettled) && count > 0 {
		for id := d.First; id != d.Last+1; id++ {
			ss.settle(id, d)
		}
		return
	}
	for id := range ss.unsettled { // a range wider than what there is
		if id-d.First < count || count == 0 {
			ss.settle(id, d)
		}
	}
}

func (ss *session) settle(id uint32, d amqp.Disposition) {
	del := ss.unsettled[id]
	if del == nil {
		return
	}
	v, err := decide(d)
	if v == nil && err == nil {
		return // not a final state yet
	}
	delete(ss.unsettled, id)
	del.link.touch()
	if err == nil {
		del.link.entity.count.Settled++
		err = del.store.settle(del.token, *v)
	}
	if d.Settled {
		return
	}
	if del.store.loseAcks > 0 {
		del.store.loseAcks--
		return
	}
	// Two-sided settlement (receiver.go of go-amqp waits for it): accepted, since
	// .NET takes nothing else for success, or rejected with the reason.
	var state any = amqp.Accepted{}
	if err != nil {
		state = amqp.Rejected{Error: err}
	}
	ss.send(amqp.Disposition{Role: amqp.RoleSender, First: id, Last: id, Settled: true, State: state})
}

// decide translates a delivery state ("AMQP 1.0 in Azure Service Bus protocol
// guide"; messageSettler.go of azservicebus). Nil without an error means that
// the delivery is not settled by it.
func decide(d amqp.Disposition) (*decision, *amqp.Error) {
	switch state := d.State.(type) {
	case amqp.Accepted:
		return &decision{kind: complete}, nil
	case amqp.Released:
		return &decision{kind: release}, nil
	case amqp.Modified:
		if state.UndeliverableHere {
			return &decision{kind: deferred, changes: state.Annotations}, nil
		}
		return &decision{kind: abandon, changes: state.Annotations}, nil
	case amqp.Rejected:
		return decideRejected(state.Error)
	}
	if d.Settled {
		return &decision{kind: release}, nil
	}
	return nil, nil
}

func decideRejected(e *amqp.Error) (*decision, *amqp.Error) {
	v := &decision{kind: deadLetter}
	if e == nil {
		return v, nil
	}
	if e.Condition != condDeadLetter {
		v.reason = string(e.Condition)
		v.description = e.Description
		return v, nil
	}
	for _, p := range e.Info {
		if k := plain(p.Key); k == propReason || k == propDescription {
			continue
		}
		v.changes = append(v.changes, p)
	}
	return v, v.explain(e.Info.Get(propReason), e.Info.Get(propDescription))
}

// explain sets reason and description, which must be strings.
func (v *decision) explain(reason, description any) *amqp.Error {
	var ok1, ok2 bool
	if v.reason, ok1 = reason.(string); !ok1 && reason != nil {
		return failure(condArgument, "The dead-letter reason is not a string")
	}
	if v.description, ok2 = description.(string); !ok2 && description != nil {
		return failure(condArgument, "The dead-letter description is not a string")
	}
	return nil
}
