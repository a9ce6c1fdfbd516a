package sbbroker

import (
	"context"
	"errors"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/Azure/go-amqp"

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

// noToken: Microsoft Entra ID or the machine's endpoint issued none. Federation and assignments take a while to arrive there, so
// that it may pass.
func noToken(err error) bool {
	_, failed := errors.AsType[*azidentity.AuthenticationFailedError](err)
	return failed
}

func isMissing(err error) bool {
	return hasCode(err, azservicebus.CodeNotFound) || hasCondition(err, amqp.ErrCondNotFound)
}

// isFull tells a full entity from a namespace that has no room for another link: only the first is about sending.
func isFull(err error) bool { return hasCondition(err, amqp.ErrCondResourceLimitExceeded) }

// verdict translates errors that stay when the call is repeated; nil means that trying again makes sense.
func verdict(err error) error {
	if fault.CodeOf(err) != fault.CodeUnknown {
		return err
	}
	switch {
	case errors.Is(err, azservicebus.ErrMessageTooLarge), hasCondition(err, amqp.ErrCondMessageSizeExceeded):
		return fault.Wrap(err, fault.MessageTooLarge, "the message is larger than the broker's limit")
	case isFull(err):
		return fault.Wrap(err, fault.BrokerBusy, "the broker's topic or queue is full")
	case isMissing(err):
		return fault.Wrap(err, fault.BrokerUnavailable, "the topic, queue or subscription does not exist in the namespace")
	case hasCode(err, azservicebus.CodeUnauthorizedAccess):
		return fault.Wrap(err, fault.BrokerUnavailable, "the namespace refuses the credentials")
	case hasCondition(err, condDisabled):
		return fault.Wrap(err, fault.BrokerUnavailable, "the topic, queue or subscription is disabled")
	case hasCode(err, azservicebus.CodeClosed):
		return fault.Wrap(err, fault.BrokerUnavailable, "the broker's connection was closed")
	}
	return nil
}

// gaveUp is the answer when time is over: a cancellation stays one, a lost race against a deadline is the broker's.
func gaveUp(ctx context.Context, last error) error {
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return ctx.Err()
	case hasCondition(last, condBusy):
		return fault.Wrap(last, fault.BrokerBusy, "the namespace throttles")
	case noToken(last):
		return fault.Wrap(last, fault.BrokerUnavailable, "no token was issued for the identity, so the namespace was not asked")
	}
	return fault.Wrap(last, fault.BrokerUnavailable, "the broker did not confirm in time")
}

// answer translates the error of a call that is not repeated; nil stays nil, a fault a fault.
func answer(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if final := verdict(err); final != nil && ctx.Err() == nil {
		return final
	}
	return gaveUp(ctx, err)
}

// about names the entity that an error is about, in the detail, which operators see. nil stays nil.
func about(entity string, err error) error {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		named := *f
		named.Detail = entity + ": " + f.Detail
		return &named
	}
	return err
}
