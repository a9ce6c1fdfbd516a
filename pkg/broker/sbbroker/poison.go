package sbbroker

import (
	"context"
	"errors"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"taxiway.example/pkg/fault"
)

const receiveMost = 500 // messages of one call

var errPoison = errors.New("the client library cannot read a message")

// survivePoison makes an error of a panic of the client library: it takes some properties for text that a sender may have set
// to something else.
func (b *Broker) survivePoison(err *error) {
	if p := recover(); p != nil {
		b.count.poisoned.Add(1)
		*err = fault.Wrap(fmt.Errorf("%w: %v", errPoison, p), fault.MessageMalformed, "a message cannot be read")
	}
}

// receive waits for up to n messages.
func (b *Broker) receive(ctx context.Context, r *azservicebus.Receiver, n int) (messages []*azservicebus.ReceivedMessage, err error) {
	defer b.survivePoison(&err)
	messages, err = r.ReceiveMessages(ctx, min(n, receiveMost), nil)
	b.count.received.Add(int64(len(messages)))
	return messages, err
}
