package sbbroker

import (
	"context"
	"sync"
)

// closer is a sender or receiver of the client library.
type closer interface{ Close(context.Context) error }

// pool lends senders or receivers of one entity, each to one caller at a time. They could be shared, were it not that the
// client library (azservicebus 1.11.0, AMQPLinks.Get) opens its links twice when two calls find them closed, after a lost
// connection for example, and then renews the first ones' tokens for as long as the process lives.
type pool[T closer] struct {
	open func() (T, error)
	room chan struct{} // one for each that may be lent

	mu   sync.Mutex
	free []T
}

func newPool[T closer](most int, open func() (T, error)) *pool[T] {
	return &pool[T]{open: open, room: make(chan struct{}, most)}
}

// use lends one to f. The one used last is lent first, so that there are no more than are needed.
func (p *pool[T]) use(ctx context.Context, f func(T) error) error {
	select {
	case p.room <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-p.room }()
	one, err := p.take()
	if err != nil {
		return err
	}
	defer p.give(one)
	return f(one)
}

func (p *pool[T]) take() (one T, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.free); n > 0 {
		one, p.free = p.free[n-1], p.free[:n-1]
		return one, nil
	}
	return p.open()
}

func (p *pool[T]) give(one T) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = append(p.free, one)
}

// close closes all; nobody may use one any more.
func (p *pool[T]) close(ctx context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range p.free {
		_ = one.Close(ctx) // nothing is open but links
	}
	p.free = nil
}
