package sbbroker

import "context"

// closer is a sender or receiver of the client library.
type closer interface{ Close(context.Context) error }

// closing closes what has nothing open but links; an error says that they are gone already.
func closing(ctx context.Context, c closer) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	_ = c.Close(ctx)
}

// pool lends senders or receivers of one entity, each to one caller at a time. They could be shared, were it not that
// the client library (azservicebus 1.11.0, AMQPLinks.Get) opens its links twice when two calls find them closed, after
// a lost connection for example, and then renews the first ones' tokens for as long as the process lives.
type pool[T closer] struct {
	open   func() (T, error)
	opened chan struct{} // one for each that there is
	free   chan T
}

func newPool[T closer](most int, open func() (T, error)) *pool[T] {
	return &pool[T]{open: open, opened: make(chan struct{}, most), free: make(chan T, most)}
}

// use lends one to f; another is opened only when none is free.
func (p *pool[T]) use(ctx context.Context, f func(T) error) error {
	one, err := p.take(ctx)
	if err != nil {
		return err
	}
	defer func() { p.free <- one }()
	return f(one)
}

func (p *pool[T]) take(ctx context.Context) (one T, err error) {
	select {
	case one = <-p.free:
		return one, nil
	default:
	}
	select {
	case one = <-p.free:
		return one, nil
	case <-ctx.Done():
		return one, ctx.Err()
	case p.opened <- struct{}{}:
	}
	if one, err = p.open(); err != nil {
		<-p.opened
	}
	return one, err
}

// close closes all; they must not be used any more.
func (p *pool[T]) close(ctx context.Context) {
	for len(p.free) > 0 {
		closing(ctx, <-p.free)
	}
}
