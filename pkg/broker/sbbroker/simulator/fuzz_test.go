package simulator_test

import (
	"io"
	"net"
	"testing"

	"taxiway.example/pkg/broker/sbbroker/simulator"
	"taxiway.example/pkg/broker/sbbroker/simulator/internal/amqp"
)

// FuzzConnection feeds an authorized connection arbitrary frames. The server must
// neither panic nor hang, and must let go of the connection at its end.
func FuzzConnection(f *testing.F) {
	zero := uint32(0)
	frames := func(ps ...amqp.Performative) (b []byte) {
		for _, p := range ps {
			b = amqp.AppendFrame(b, amqp.TypeAMQP, 0, p)
		}
		return b
	}
	attach := amqp.Attach{Name: "s", Target: &amqp.Target{Address: "plain"}, Source: &amqp.Source{}}
	receive := amqp.Attach{
		Name:         "r",
		Handle:       1,
		Role:         amqp.RoleReceiver,
		ReceiverMode: 1,
		Source:       &amqp.Source{Address: "plain"},
	}
	manage := amqp.Attach{Name: "m", Handle: 2, Target: &amqp.Target{Address: "plain/$management"}}
	one := uint32(1)
	ten := uint32(10)
	f.Add(frames(attach, receive,
		amqp.Transfer{DeliveryID: &zero, DeliveryTag: []byte{1}, Payload: body("a")},
		amqp.Flow{NextIncomingID: &zero, IncomingWindow: 10, Handle: &one, LinkCredit: &ten, Drain: true},
		amqp.Disposition{Role: amqp.RoleReceiver, First: 0, Last: 9, State: amqp.Modified{UndeliverableHere: true}},
		amqp.Detach{Handle: 1, Closed: true}, amqp.End{}, amqp.Close{}))
	f.Add(frames(manage, amqp.Transfer{Handle: 2, DeliveryID: &zero, DeliveryTag: []byte{1}, Payload: body("x")}))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := simulator.New(topology())
		if err != nil {
			t.Fatal(err)
		}
		ours, theirs := net.Pipe()
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.ServeConn(theirs)
		}()
		go func() { _, _ = io.Copy(io.Discard, ours) }()
		opening := append([]byte{}, amqp.HeaderSASL[:]...)
		opening = amqp.AppendFrame(opening, amqp.TypeSASL, 0, amqp.Init{Mechanism: "ANONYMOUS"})
		opening = append(opening, amqp.HeaderAMQP[:]...)
		opening = append(opening, frames(
			amqp.Open{ContainerID: "fuzz", MaxFrameSize: 512},
			amqp.Begin{IncomingWindow: 100, OutgoingWindow: 100},
			amqp.Attach{Name: "c", Handle: 9, Target: &amqp.Target{Address: "$cbs"}},
			amqp.Attach{
				Name:   "d",
				Handle: 8,
				Role:   amqp.RoleReceiver,
				Source: &amqp.Source{Address: "$cbs"},
				Target: &amqp.Target{Address: "d"},
			},
			amqp.Transfer{Handle: 9, DeliveryID: &zero, DeliveryTag: []byte{1}, Payload: amqp.NewValueMessage(
				amqp.Properties{MessageID: "1", ReplyTo: "d"},
				amqp.Map{
					{Key: "operation", Value: "put-token"},
					{Key: "type", Value: "jwt"},
					{Key: "name", Value: "sb://h/"},
				},
				"t",
			).Append(nil)},
		)...)
		if _, err := ours.Write(append(opening, b...)); err == nil {
			_ = ours.Close()
		}
		_ = ours.Close()
		<-done
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}
