package simulator

import (
	"errors"
	"fmt"
	"io"
	"time"

	"taxiway.example/pkg/broker/sbbroker/simulator/internal/amqp"
)

// errHandshake is wrapped when a peer does not get as far as an open connection.
var errHandshake = errors.New("handshake")

// handshake runs SASL, protocol headers and open (AMQP §2.2, §2.4.1, §5.3).
// Service Bus wants SASL first; clients say ANONYMOUS and prove who they are on
// $cbs (internal/namespace.go of azservicebus).
func (c *connection) handshake() error {
	if err := c.nc.SetDeadline(time.Now().Add(handshakeTimeout)); err != nil {
		return fmt.Errorf("%w: %w", errHandshake, err)
	}
	if err := c.exchange(amqp.HeaderSASL); err != nil {
		return err
	}
	if err := c.sasl(); err != nil {
		return err
	}
	if err := c.exchange(amqp.HeaderAMQP); err != nil {
		return err
	}
	p, err := c.next(amqp.TypeAMQP)
	if err != nil {
		return err
	}
	peer, ok := p.(amqp.Open)
	if !ok {
		return fmt.Errorf("%w: %T instead of open", errHandshake, p)
	}
	c.peer = peer
	err = c.write(amqp.TypeAMQP, amqp.Open{
		ContainerID:  "servicebus-simulator",
		MaxFrameSize: maxFrameSize,
		ChannelMax:   channelMax,
		IdleTimeout:  uint32(idleTimeout.Milliseconds()),
	})
	if err != nil {
		return err
	}
	if peer.MaxFrameSize < minMaxFrameSize {
		return errors.Join(fmt.Errorf("%w: max-frame-size %d", errHandshake, peer.MaxFrameSize),
			c.write(amqp.TypeAMQP, amqp.Close{Error: failure(condFraming, "The max-frame-size is below 512")}))
	}
	return c.nc.SetDeadline(time.Time{})
}

// exchange reads the peer's protocol header and answers with want. If the peer
// wanted something else, the answer tells it what it should have said (§2.2).
func (c *connection) exchange(want [8]byte) error {
	var got [8]byte
	if _, err := io.ReadFull(c.reader, got[:]); err != nil {
		return fmt.Errorf("%w: %w", errHandshake, err)
	}
	if _, err := c.nc.Write(want[:]); err != nil {
		return fmt.Errorf("%w: %w", errHandshake, err)
	}
	if got != want {
		return fmt.Errorf("%w: protocol header %q", errHandshake, got)
	}
	return nil
}

func (c *connection) sasl() error {
	if err := c.write(amqp.TypeSASL, amqp.Mechanisms{Names: []amqp.Symbol{"ANONYMOUS"}}); err != nil {
		return err
	}
	p, err := c.next(amqp.TypeSASL)
	if err != nil {
		return err
	}
	choice, ok := p.(amqp.Init)
	if !ok {
		return fmt.Errorf("%w: %T instead of sasl-init", errHandshake, p)
	}
	if choice.Mechanism != "ANONYMOUS" {
		const authFailed = 1
		return errors.Join(fmt.Errorf("%w: SASL mechanism %q", errHandshake, choice.Mechanism),
			c.write(amqp.TypeSASL, amqp.Outcome{Code: authFailed}))
	}
	return c.write(amqp.TypeSASL, amqp.Outcome{})
}

func (c *connection) next(kind uint8) (amqp.Performative, error) {
	f, err := amqp.ReadFrame(c.reader, maxFrameSize)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errHandshake, err)
	}
	if f.Type != kind {
		return nil, fmt.Errorf("%w: frame type %d", errHandshake, f.Type)
	}
	p, err := amqp.DecodePerformative(f.Body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errHandshake, err)
	}
	return p, nil
}

// write sends a frame at once; only the handshake does that.
func (c *connection) write(kind uint8, p amqp.Performative) error {
	if _, err := c.nc.Write(amqp.AppendFrame(nil, kind, 0, p)); err != nil {
		return fmt.Errorf("%w: %w", errHandshake, err)
	}
	return nil
}
