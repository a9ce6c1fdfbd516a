package sbbroker

import (
	"cmp"
	"context"
	"errors"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/Azure/go-amqp"

	"taxiway.example/pkg/broker/adapter"
	"taxiway.example/pkg/fault"
)

// Conditions that the client library hands on as they come (Microsoft: "AMQP errors in Azure Service Bus").
const (
	condBusy     = amqp.ErrCond("com.microsoft:server-busy")
	condDisabled = amqp.ErrCond("com.microsoft:entity-disabled")
)

func hasCondition(err error, c amqp.ErrCond) bool {
	e, ok := errors.AsType[*amqp.Error](err)
	return ok && e.Condition == c
}

func hasCode(err error, c azservicebus.Code) bool {
	e, ok := errors.AsType[*azservicebus.Error](err)
	return ok && e.Code == c
}

func isLockLost(err error) bool { return hasCode(err, azservicebus.CodeLockLost) }

// noToken: Microsoft Entra ID or the machine's endpoint issued none. Federation and assignments take a while to arrive
// there, so that it may pass.
func noToken(err error) bool {
	_, failed := errors.AsType[*azidentity.AuthenticationFailedError](err)
	return failed
}

func isMissing(err error) bool {
	return hasCode(err, azservicebus.CodeNotFound) || hasCondition(err, amqp.ErrCondNotFound)
}

// isFull tells a full entity from a namespace that has no room for another link: only the first is about sending.
func isFull(err error) bool { return hasCondition(err, amqp.ErrCondResourceLimitExceeded) }

// final translates errors that stay when the call is repeated; nil means that trying again makes sense.
func final(err error) error {
	if fault.Is(err) {
		return err
	}
	switch {
	case errors.Is(err, azservicebus.ErrMessageTooLarge), hasCondition(err, amqp.ErrCondMessageSizeExceeded):
		return fault.Wrap(err, fault.MessageTooLarge, "the message is larger than the broker's limit")
	case isFull(err):
		return fault.Wrap(err, fault.BrokerBusy, "the broker's topic or queue is full")
	case isMissing(err):
		return fault.Wrap(
			err,
			fault.BrokerUnavailable,
			"the topic, queue or subscription does not exist in the namespace",
		)
	case hasCode(err, azservicebus.CodeUnauthorizedAccess):
		return fault.Wrap(err, fault.BrokerUnavailable, "the namespace refuses the credentials")
	case hasCondition(err, condDisabled):
		return fault.Wrap(err, fault.BrokerUnavailable, "the topic, queue or subscription is disabled")
	case hasCode(err, azservicebus.CodeClosed):
		return fault.Wrap(err, fault.BrokerUnavailable, "the broker's connection was closed")
	}
	return nil
}

// answer translates the error of a call that is not tried again; nil stays nil, a fault a fault.
func answer(ctx context.Context, err error) error {
	switch {
	case err == nil || errors.Is(ctx.Err(), context.Canceled):
	case hasCondition(err, condBusy):
		err = fault.Wrap(err, fault.BrokerBusy, "the namespace throttles")
	case noToken(err):
		err = fault.Wrap(
			err,
			fault.BrokerUnavailable,
			"no token was issued for the identity, so the namespace was not asked",
		)
	case ctx.Err() == nil:
		err = cmp.Or(final(err), err)
	}
	return adapter.GaveUp(ctx, err)
}

// persist tries until it works, ctx ends, or an error says that trying again is useless. The client library tries again
// by itself, but gives up soon.
func persist(ctx context.Context, try func(context.Context) error) error {
	return answer(ctx, adapter.Persist(ctx, final, try))
}
